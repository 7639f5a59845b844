"""How the page looks: light or dark as the reader's machine is set, one column that fits a phone, and on paper."""

import base64
import hashlib

STYLE = """
:root{color-scheme:light dark;--ink:#1c2128;--dim:#59636e;--page:#fff;--card:#f6f8fa;--line:#d1d9e0;--link:#0757ba;
--good:#116329;--good-back:#dafbe1;--bad:#a0111f;--bad-back:#ffebe9;--warn:#7a4a00;--warn-back:#fff8c5;--bar:#8c959f;
--bar-now:#0969da}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9da7b3;--page:#0d1117;--card:#161b22;--line:#3d444d;
--link:#79b8ff;--good:#7ee2a0;--good-back:#12351f;--bad:#ffa198;--bad-back:#4a1a1c;--warn:#f0c350;--warn-back:#3a2d08;
--bar:#6e7681;--bar-now:#4493f8}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:62rem;color:var(--ink);background:var(--page);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .25rem}
h2{font-size:1.2rem;margin:2rem 0 .75rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:1.25rem 0 .5rem}
h4{font-size:.95rem;margin:1rem 0 .25rem}
p{margin:.25rem 0}
a{color:var(--link)}
code,.mono{font-family:ui-monospace,monospace;font-size:.9em}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-999rem}
.skip:focus{position:static}
.dim{color:var(--dim)}
.verdict{font-size:1.1rem;margin:.5rem 0}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;margin:.75rem 0 0;padding:0}
.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem;margin:.5rem 0}
.card h3{margin:0 0 .25rem}
.bad{border-left:.35rem solid var(--bad)}
.warn{border-left:.35rem solid var(--warn)}
.good{border-left:.35rem solid var(--good)}
.mark{display:inline-block;min-width:2.2rem;font-family:ui-monospace,monospace;font-weight:700}
.wide{overflow-x:auto;margin:.5rem 0}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--dim);padding:.25rem 0}
th,td{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--line)}
.numbers td,.numbers thead th:not(:first-child){text-align:right;white-space:nowrap}
.quiet caption{position:absolute;left:-999rem}
th{overflow-wrap:break-word}
.cost thead th:nth-child(2),.cost td:nth-child(2){white-space:normal;text-align:left;min-width:9rem}
.bars tbody th{font-weight:400;white-space:nowrap}
.bars td:last-child,.bars thead th:last-child{text-align:right;white-space:nowrap}
.bars td:nth-child(2){width:60%;vertical-align:middle}
svg{display:block;width:100%;height:.6rem}
.then{fill:var(--bar)}
.now{fill:var(--bar-now)}
details{margin:.5rem 0}
summary{cursor:pointer;padding:.25rem 0;font-weight:600}
.row{border-top:1px solid var(--line);padding:.5rem 0}
.row p{margin:0}
.text{white-space:pre-wrap;margin:.25rem 0 0;padding:.25rem .5rem;background:var(--card);border-radius:.25rem}
del{color:var(--bad);background:var(--bad-back)}
ins{color:var(--good);background:var(--good-back);text-decoration:underline}
.whole{text-decoration:none}
footer{margin-top:2rem;padding-top:.75rem;border-top:1px solid var(--line);font-size:.9rem}
@media (max-width:40rem){th,td{padding-right:.5rem}.bars td:nth-child(2){width:45%}}
@media print{nav,.skip{display:none}.wide{overflow:visible}}
""".strip()

POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)
"""What a browser allows the page: this style and nothing else, so that no text in it can act or call out."""
