"""Made-up secrets and personal data, and harmless texts that look alike, each within a sentence.

Every value is drawn by a seed: no file holds a key. The odd ones are the half by which the detectors were written, the
even ones are kept for judging them.
"""

import base64
import json
import random
import string
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from reconciler.foundation.secret_shapes import base62

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + "234567"
Draw = Callable[[random.Random], str]


class Case(NamedTuple):
    """One text, and the kind of thing in it."""

    kind: str
    text: str
    value: str


def chars(chance: random.Random, count: int, alphabet: str = LETTERS) -> str:
    return "".join(chance.choices(alphabet, k=count))


def draw_after(prefix: str, count: int, alphabet: str = LETTERS) -> Draw:
    return lambda chance: prefix + chars(chance, count, alphabet)


def password(chance: random.Random) -> str:
    word = chance.choice(("sunrise", "Harbour", "winter", "Magenta", "tiger", "Lisbon", "copper"))
    return word + chance.choice("!#?_-") + str(chance.randint(10, 9999)) + chance.choice(("", "x", "Q"))


def letters(chance: random.Random) -> str:
    """Draw a password of letters only, their capitals by chance."""
    pairs = "".join(chance.choice(string.ascii_uppercase) + chance.choice(string.ascii_lowercase) for _ in range(3))
    return pairs + chars(chance, 6, string.ascii_letters) + chance.choice(("", "!", "."))


def basic(chance: random.Random) -> str:
    user = chance.choice(("admin", "svc", "deploy"))
    return base64.b64encode(f"{user}:{chance.choice((password, letters))(chance)}".encode()).decode()


def github(chance: random.Random) -> str:
    body = chars(chance, 30)
    return "gh" + chance.choice("pousr") + "_" + body + base62(zlib.crc32(body.encode()))


def web_token(chance: random.Random) -> str:
    parts = [
        {"alg": "HS256", "typ": "JWT"},
        {"sub": str(chance.randint(1, 10**9)), "iat": chance.randint(10**9, 2 * 10**9)},
    ]
    heads = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join((*heads, chars(chance, 43, LETTERS + "-_")))


def luhn(body: str) -> str:
    for digit in "0123456789":
        doubled = [int(each) * (2 if at % 2 else 1) for at, each in enumerate(reversed(body + digit))]
        if sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0:
            return body + digit
    raise AssertionError


def card(chance: random.Random) -> str:
    head, length = chance.choice((("4", 16), ("51", 16), ("55", 16), ("37", 15), ("6011", 16), ("2221", 16)))
    return luhn(head + chars(chance, length - 1 - len(head), string.digits))


def grouped_card(gap: str) -> Draw:
    def draw(chance: random.Random) -> str:
        digits = card(chance)
        cuts = (4, 6, 5) if len(digits) == 15 else (4, 4, 4, 4)
        at, groups = 0, []
        for cut in cuts:
            groups.append(digits[at : at + cut])
            at += cut
        return gap.join(groups)

    return draw


COUNTRIES = {"DE": 18, "AT": 16, "NL": 14, "FR": 23, "GB": 18, "ES": 20, "CH": 17, "BE": 12, "PL": 24, "IT": 23}


def iban(chance: random.Random) -> str:
    country = chance.choice(sorted(COUNTRIES))
    body = chars(chance, COUNTRIES[country], string.digits)
    if country in {"NL", "GB"}:
        body = chars(chance, 4, string.ascii_uppercase) + body[4:]
    number = int("".join(str(int(each, 36)) for each in body + country + "00"))
    return f"{country}{98 - number % 97:02}{body}"


def spaced_iban(chance: random.Random) -> str:
    text = iban(chance)
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def pattern(form: str) -> Draw:
    """Draw digits for `#`, and digits above one for `N`."""
    return lambda chance: "".join(
        chance.choice("123456789") if char == "N" else chance.choice(string.digits) if char == "#" else char
        for char in form
    )


def email(chance: random.Random) -> str:
    first, last = (
        chance.choice(("jane", "oleg", "maria", "tim", "yuki")),
        chance.choice(("doe", "petrov", "silva", "li")),
    )
    host = chance.choice(("gmail.com", "web.de", "company.co.uk", "mail.ru", "uni-bonn.de", "proton.me"))
    return first + chance.choice(".-_+") + last + chance.choice(("", "7", "84")) + "@" + host


KEYS: dict[str, Draw] = {
    "github": github,
    "github fine": lambda c: "github" + "_pat_" + chars(c, 22) + "_" + chars(c, 59),
    "aws id": draw_after("AK" + "IA", 16, UPPER),
    "aws secret": lambda c: "aws_secret_access_key = " + chars(c, 40, LETTERS + "/+"),
    "slack": lambda c: "xox" + c.choice("bp") + "-" + chars(c, 11, string.digits) + "-" + chars(c, 24),
    "slack hook": lambda c: (
        f"https://hooks.slack.com/services/T{chars(c, 8, UPPER)}/B{chars(c, 8, UPPER)}/{chars(c, 24)}"
    ),
    "discord hook": lambda c: f"https://discord.com/api/webhooks/{chars(c, 18, string.digits)}/{chars(c, 68)}",
    "openai": draw_after("sk" + "-proj-", 48, LETTERS + "_-"),
    "openai old": draw_after("sk" + "-", 48),
    "anthropic": draw_after("sk" + "-ant-api03-", 93, LETTERS + "_-"),
    "openrouter": draw_after("sk" + "-or-v1-", 64, HEX),
    "groq": draw_after("gs" + "k_", 52),
    "xai": draw_after("xa" + "i-", 80),
    "stripe": draw_after("sk" + "_live_", 24),
    "stripe hook": draw_after("whs" + "ec_", 32),
    "google": draw_after("AI" + "za", 35, LETTERS + "_-"),
    "google secret": draw_after("GOC" + "SPX-", 28, LETTERS + "_-"),
    "gitlab": draw_after("gl" + "pat-", 20, LETTERS + "_-"),
    "npm": lambda c: (lambda body: "np" + "m_" + body + base62(zlib.crc32(body.encode())))(chars(c, 30)),
    "pypi": draw_after("pypi-" + "AgEIcHlwaS5vcmc", 120, LETTERS + "_-"),
    "hugging face": draw_after("h" + "f_", 34),
    "sendgrid": lambda c: "S" + "G." + chars(c, 22) + "." + chars(c, 43),
    "twilio": draw_after("S" + "K", 32, HEX),
    "mailgun": draw_after("ke" + "y-", 32, HEX),
    "databricks": draw_after("da" + "pi", 32, HEX),
    "digital ocean": draw_after("do" + "p_v1_", 64, HEX),
    "shopify": draw_after("shp" + "at_", 32, HEX),
    "vault": draw_after("hv" + "s.", 90, LETTERS + "_-"),
    "linear": draw_after("lin" + "_api_", 40),
    "azure": lambda c: "AccountName=store;Account" + "Key=" + chars(c, 86, LETTERS + "+/") + "==",
    "telegram": lambda c: chars(c, 9, "123456789") + ":AA" + chars(c, 33, LETTERS + "_-"),
    "web token": web_token,
    "private key": lambda c: "-----BEGIN RSA PRIVATE" + " KEY-----\n" + chars(c, 64, LETTERS + "+/"),
    "address": lambda c: "postgres://admin:" + chars(c, 14) + "@db.internal:5432/shop",
    "password=": lambda c: "password=" + password(c),
    "password: quoted": lambda c: f'"db_password": "{password(c)}"',
    "PASSWORD env": lambda c: "export ADMIN_PASSWORD=" + password(c),
    "api key": lambda c: "api_key: " + chars(c, 32, HEX),
    "client secret": lambda c: f"clientSecret='{chars(c, 30)}'",
    "bearer": lambda c: "Authorization: Bearer " + chars(c, 40),
    "basic": lambda c: "Authorization: Basic " + base64.b64encode(f"admin:{password(c)}".encode()).decode(),
    "password= letters": lambda c: c.choice(("password=", "DB_PASSWORD=", '"passwd": "')) + letters(c),
    "password= one word with a sign": lambda c: (
        c.choice(("password=", "DB_PASSWORD=", "passwd=", 'pwd="'))
        + c.choice(("Sommerregen", "Butterblume", "Harbourlight", "tigerlily", "Copperfield", "Schneemann"))
        + c.choice("!?#$%+")
    ),
    "password= words run together": lambda c: (
        c.choice(("password=", "export PGPASSWORD=", "passphrase=", "passwort="))
        + c.choice(("correcthorse", "winterwonder", "zwiebelkuchen", "copperharbour", "purplemonkey"))
        + c.choice(("battery", "land", "tiger", "sunrise", "dishwasher"))
    ),
    "password of letters, spaced": lambda c: c.choice(('db_password = "{}"', "passwd: '{}'", "pwd = {}")).format(
        c.choice(("kqHjWvbnTzy", "BtRwqZkLmPv", "xWzKjqRtVbn", "GfTrkMwQzhx"))
    ),
    "password of letters in an address": lambda c: (
        c.choice(("mysql://root:", "postgres://app:", "amqp://svc:", "redis://:", "https://deploy:"))
        + c.choice(("letters", "Sommerregen", "zwiebelkuchen", "copperharbour", "kqHjWvbnTzy"))
        + c.choice(("@host", "@db.internal:5432/shop", "@10.0.0.7/"))
    ),
    "password with a dollar": lambda c: "password: " + chars(c, 5) + c.choice("$") + chars(c, 4) + "7b",
    "password told": lambda c: (
        c.choice(("my password is ", "the password for the shop is ", "mein Passwort lautet ", "password was: "))
        + c.choice((password(c), chars(c, 5) + "K7$w9", letters(c)))
    ),
    "curl -u": lambda c: (
        c.choice(("curl -u admin:", "curl -X POST --user svc:", "curl -s -u'bot:", "wget -q --user x -U y:"))
        + c.choice((password(c), chars(c, 10) + "4x"))
        + " https://api.corp.com"
    ),
    "other commands": lambda c: (
        c.choice(("mysql -u root -p", "sshpass -p ", "docker login -u me -p ", "redis-cli -h db -a ")) + password(c)
    ),
    "basic alone": lambda c: c.choice(("Basic ", "use Basic ", "-H 'authorization: basic ")) + basic(c),
    "basic unpadded": lambda c: "Basic " + basic(c).rstrip("="),
    "twilio pair": lambda c: (
        "AC" + chars(c, 32, HEX) + c.choice((" auth token ", ":", " / ", "\n")) + chars(c, 32, HEX)
    ),
    "github checksum": lambda c: "gh" + c.choice("pousr") + "_" + chars(c, 36),
    "npm checksum": draw_after("np" + "m_", 36),
    "subscription key": lambda c: (
        c.choice(("Ocp-Apim-Subscription-Key: ", "-H 'ocp-apim-subscription-key: ", '"Ocp-Apim-Subscription-Key": "'))
        + chars(c, 32, HEX)
    ),
    "hubspot": lambda c: (
        f"pat-{c.choice(('na1', 'eu1'))}-" + "-".join(chars(c, count, HEX) for count in (8, 4, 4, 4, 12))
    ),
    "password in other languages": lambda c: (
        c.choice(
            (
                *(
                    "contraseña: ",
                    "Contraseña de la red: ",
                    "mot de passe : ",
                    "Passwort: ",
                    "Пароль: ",
                    "senha do wifi: ",
                ),
                *(
                    "hasło: ",
                    "wachtwoord is ",
                    "a senha é ",
                    "la password è ",
                    "мой пароль — ",
                    "lösenord: ",
                    "şifre: ",
                ),
            )
        )
        + password(c)
    ),
    "password without spaces": lambda c: (
        c.choice(("密码：", "登录密码是", "密碼:", "パスワードは", "パスワード：", "비밀번호: ", "비밀번호는 "))
        + password(c)
        + c.choice(("", "，谢谢"))
    ),
    "--password": lambda c: "mysql -u root --password " + password(c),
}
PERSONAL: dict[str, Draw] = {
    "card": card,
    "card spaced": grouped_card(" "),
    "card dashed": grouped_card("-"),
    "card odd spaces": grouped_card("  "),
    "card narrow spaces": grouped_card("\u202f"),
    "card and expiry": lambda c: f"{grouped_card(' ')(c)} 12/27 cvc {chars(c, 3, string.digits)}",
    "card after a count": lambda c: f"2 {grouped_card(' ')(c)}",
    "card without spaces": lambda c: c.choice(("卡号{}已过期", "カード番号は{}です", "카드번호 {}입니다")).format(
        c.choice((card, grouped_card(" ")))(c)
    ),
    "maestro": lambda c: (
        c.choice(("my Maestro card ", "Karte: ", "tarjeta "))
        + luhn(
            c.choice(("5018", "5020", "5038", "5893", "6304", "6759", "6761"))
            + chars(c, c.randint(8, 12), string.digits)
        )
    ),
    "iban": iban,
    "iban spaced": spaced_iban,
    "iban lower": lambda c: iban(c).lower(),
    "iban lower spaced": lambda c: spaced_iban(c).lower(),
    "email": email,
    "email upper": lambda c: email(c).upper(),
    "phone +": lambda c: pattern(
        c.choice(("+49 N## N######", "+44 20 N### ####", "+1 (N12) 7##-####", "+33 6 N# ## ## ##"))
    )(c),
    "phone 00": lambda c: pattern(c.choice(("0049 30 N#####", "0044 20 N### ####", "0033 6 N# ## ## ##")))(c),
    "phone us": lambda c: pattern(c.choice(("(415) 7##-#N##", "212-6##-#N##", "650.8##.#N##")))(c),
    "phone fr": pattern("06 N# ## N# ##"),
    "phone uk": pattern("020 7N## #N##"),
    "phone de": lambda c: pattern(c.choice(("0171/N#N####", "030-N#N###9", "(0221) N##-###9")))(c),
    "phone de groups": lambda c: pattern(c.choice(("030 N##### 1#", "(040) N##### 2#", "0221/N##### 1#")))(c),
    "phone before a word": lambda c: (
        pattern("0N# N#N###")(c) + c.choice((" Berlin, Tel.", " (mobile)", ", Tel", " phone"))
    ),
    "phone jp, kr, ru, au, nl": lambda c: pattern(
        c.choice(("090-N7N#-#N#4", "010-7N#N-3##9", "8 (9N#) 7N#-#N-3#", "(02) 9N7# #N#4", "06 2N#7 4N##"))
    )(c),
    "phone after other words": lambda c: (
        (
            c.choice(
                ("llámame al 6## 7N# N4#", "mi teléfono es 6N7N##4N#", "mon numéro 067N##4N#1", "手机号是137N##4N#N1")
            )
            if c.random() < 0.5
            else c.choice(("il mio numero è 34N 7N##4N#", "meu celular (11) 97N#4-#N#1", "bel me op 06-7N##4N#1"))
        )
        .replace("#", c.choice("358"))
        .replace("N", c.choice("2469"))
    ),
    "email hidden": lambda c: (
        email(c)
        .replace("@", c.choice((" (at) ", "(at)", " [at] ", "[AT]", " {at} ")))
        .replace(".", c.choice((".", ".", " [dot] ", "(dot)")))
    ),
    "email in words": lambda c: (
        c.choice(("jane", "oleg", "t.silva"))
        + c.choice((" at ", " AT "))
        + c.choice(("gmail", "web", "gmx"))
        + " dot com"
    ),
    "social security": lambda c: (
        c.choice(("ssn ", "SSN: ", "social security number is ", "my social: "))
        + pattern(c.choice(("1##-4N-N###", "2## 4N N###", "4##6NN###")))(c)
    ),
    "social security after": lambda c: pattern("1##-4N-N###")(c) + c.choice((" is my SSN", " (social security)")),
    "national insurance": lambda c: (
        c.choice(("NI number ", "nino: ", "National Insurance "))
        + "".join(c.choices("ABCEGHJ", k=1))
        + "A "
        + pattern("## ## ## ")(c)
        + c.choice("ABCD")
    ),
    "phone after a word": lambda c: c.choice(("Tel. ", "call me on ", "mobile: ", "phone ")) + pattern("0N# N#N###")(c),
}
HARMLESS: dict[str, Draw] = {
    "commit": draw_after("", 40, HEX),
    "md5": draw_after("", 32, HEX),
    "sha256": draw_after("sha256:", 64, HEX),
    "uuid": lambda c: "-".join(chars(c, count, HEX) for count in (8, 4, 4, 4, 12)),
    "placeholder key": lambda c: c.choice(
        ("sk" + "-your-api-key-here", "sk" + "-" + "x" * 48, "api_key=YOUR_API_KEY", "token: <token>")
    ),
    "placeholder password": lambda c: c.choice(
        ("password=changeme", "password: ********", "PASSWORD=${DB_PASSWORD}", "pwd = example123")
    ),
    "password= a word of a program": lambda c: (
        c.choice(("password=", "DB_PASSWORD=", "pwd=", "passwd="))
        + c.choice(("authentication", "Undefined!", "Incorrect!", "passwordencoder", "credentials", "encryptedvalue"))
    ),
    "password as a setting": lambda c: c.choice(
        ("password=settings.PASSWORD", "password: config.DB_PASSWORD", "token = env.API_TOKEN", "pwd=self.pwd.value")
    ),
    "password in jokes and forms": lambda c: c.choice(
        (
            *("password: hunter2", "password: required", "password=<your password>", "the password field is empty"),
            *("Password: Forgotten?", "password: Important!", "password=correcthorsebatterystaple"),
        )
    ),
    "example in an address": lambda c: (
        c.choice(("mysql://user:", "postgres://postgres:", "https://name:"))
        + c.choice(("password", "secret", "passwd", "postgres", "mypassword", "PASSWORD"))
        + c.choice(("@host", "@localhost:5432/db"))
    ),
    "password in words": lambda c: c.choice(
        ("Password: required", "password is correct", "token: string", "secret: true", "pass: yes")
    ),
    "password in code": lambda c: c.choice(
        ("password = get_password()", "token = os.environ['TOKEN']", "api_key=settings.api_key", "pwd=args.password")
    ),
    "documented aws": lambda c: "AK" + "IA" + "IOSFODNN7EXAMPLE",
    "placeholder github token": lambda c: (
        c.choice(("gh" + "p_", "np" + "m_")) + c.choice(("x" * 36, "0" * 36, "yourtoken" * 4, "AAAABBBBCCCC" * 3))
    ),
    "password told in words": lambda c: (
        c.choice(("the password is ", "my password was ", "mein Passwort ist ", "the password for it is "))
        + c.choice(("case-sensitive", "Case-Sensitive.", "SHA-256 hashed", "Base64-encoded", "12-characters long"))
    ),
    "password told without one": lambda c: c.choice(
        (
            "the password is required, and must have 12 characters",
            "password was changed 2024-11-03 at noon",
            "my password is PostgreSQL's default",
            "the password is user@company.com",
            "my password is <password>",
            "password is hashed/salted with PBKDF2-HMAC",
            "the password is in https://vault.corp/x1",
        )
    ),
    "letters in code": lambda c: c.choice(
        (
            "password=getPasswordFromVault",
            "password=UserPasswordField",
            "password=PasswordInput!",
            "token=MyAccessTokenValue",
            "apiKey: JsonStringValue",
        )
    ),
    "commands without a password": lambda c: c.choice(
        (
            "curl -u user:password https://api.test",
            "curl -u $USER:$PASSWORD https://api.test",
            "curl -u <user>:<password> https://api.test",
            "curl -u admin https://api.test:8443/a",
            "mysql -u root -p shop",
            "mysql -u root -p --host=db1",
            "sshpass -p $SSHPASS ssh host",
            "docker run -p 8080:80 nginx",
        )
    ),
    "basic in words": lambda c: c.choice(
        (
            "basic computer skills",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "Basic dXNlcjpwYXNzd29yZA==",
            "Basic knowledge/understanding",
            "Authorization: Basic <credentials>",
        )
    ),
    "twilio account": lambda c: "account AC" + chars(c, 32, HEX) + c.choice((" sent", " SM" + chars(c, 32, HEX))),
    "no social security": lambda c: c.choice(
        (
            "part " + pattern("1##-4N-N###")(c),
            "SSN: 000-12-3456",
            "ssn 078-05-1120",
            "SSN has 9 digits, 3-2-4",
            "social media 2024-12-01",
        )
    ),
    "at in words": lambda c: c.choice(
        (
            "meet (at) noon",
            "look at this dot product",
            "me at example dot com is our rule",
            "we meet at web dot school",
            "arr [at] index",
            "find us at acme dot com",
        )
    ),
    "numbers near a telephone": lambda c: c.choice(
        ("Room 030 901", "0312 4567", "tel. on request", "2026 1234 phones", "page 0123 of 4567", "05 12 phone calls")
    ),
    "words with dashes": lambda c: c.choice(
        ("sk" + "-loading-spinner-with-a-very-long-name-of-words", "a risk-free-way-to-learn-something-entirely-new")
    ),
    "limit": lambda c: f"max_tokens: {c.randint(1, 4096)}",
    "address without password": lambda c: f"https://user@host{c.randint(1, 99)}.test:8443/path",
    "data uri": lambda c: "data:image/png;base64,iVBORw0KGgo" + chars(c, 60),
    "bearer in words": lambda c: c.choice(
        ("the bearer of this letter", "Authorization: Bearer <token>", "Bearer $TOKEN")
    ),
    "order": lambda c: f"order {c.randint(10**15, 10**16 - 1)}",
    "wrong card": lambda c: (lambda digits: digits[:-1] + str((int(digits[-1]) + 5) % 10))(card(c)),
    "timestamp": lambda c: str(c.randint(1_500_000_000_000, 1_900_000_000_000)),
    "decimal": lambda c: f"{c.random():.18f}",
    "wrong iban": lambda c: "DE00" + chars(c, 18, string.digits),
    "isbn": lambda c: "ISBN 978-" + pattern("#-###-#####-#")(c),
    "date": lambda c: (
        f"{c.randint(1990, 2030)}-{c.randint(1, 12):02}-{c.randint(1, 28):02} "
        f"{c.randint(0, 23):02}:{c.randint(0, 59):02}:{c.randint(0, 59):02}"
    ),
    "dates": lambda c: f"{c.randint(1, 28):02}/{c.randint(1, 12):02}/{c.randint(1990, 2030)}",
    "version": lambda c: f"v{c.randint(0, 20)}.{c.randint(0, 99)}.{c.randint(0, 9999)}",
    "ip": lambda c: ".".join(str(c.randint(1, 254)) for _ in range(4)),
    "coordinates": lambda c: f"{c.uniform(-90, 90):.6f}, {c.uniform(-180, 180):.6f}",
    "money": lambda c: f"EUR {c.randint(1, 999)},{c.randint(0, 999):03}.{c.randint(0, 99):02}",
    "example address": lambda c: c.choice(
        ("jane@example.com", "bob@test.example", "git@github.com", "you@host.invalid", "user@company.com")
    ),
    "file of a size": lambda c: c.choice(("logo@2x.png", "icon@3x.svg", "react@18.2.0", "@mention", "x @ y.T")),
    "fiction phone": lambda c: c.choice(("+1 212 555 0123", "(415) 555-0199", "555-0142")),
    "sequence": lambda c: c.choice(("1234567890", "+1234567890", "0000 0000 0000", "1111-2222-3333")),
    "sum": lambda c: f"{c.randint(1, 999)} + {c.randint(1, 999)} = {c.randint(1, 1999)}",
    "part number": lambda c: (
        f"{chars(c, 3, string.ascii_uppercase)}-{c.randint(10**4, 10**6)}-{chars(c, 2, string.ascii_uppercase)}"
    ),
    "year range": lambda c: f"{c.randint(1900, 1999)}-{c.randint(2000, 2026)}",
    "scores": lambda c: " ".join(str(c.randint(10, 99)) for _ in range(8)),
    "model id": lambda c: "ft:gpt-4o-mini-2024-07-18:acme:support:" + chars(c, 8),
    "job id": lambda c: "ftjob-" + chars(c, 24),
    "file id": lambda c: "file-" + chars(c, 24),
    "call id": lambda c: "call_" + chars(c, 24),
    "password in other languages, without one": lambda c: (
        c.choice(("contraseña: ", "mot de passe : ", "Passwort: ", "Пароль: ", "senha: ", "hasło: ", "wachtwoord: "))
        + c.choice(("********", "<password>", "8-64", "obligatorio", "vergessen?", "обязательно", "inválida"))
    ),
    "password without spaces, without one": lambda c: c.choice(
        ("密码：请输入您的密码", "密码是必填项", "密码长度8-20位", "パスワードは8文字以上", "비밀번호는 필수입니다")
    ),
    "subscription key in words": lambda c: c.choice(
        ("Ocp-Apim-Subscription-Key: YOUR_KEY", "the Ocp-Apim-Subscription-Key header", "pat-na1-" + "x" * 8)
    ),
    "number without spaces": lambda c: c.choice(
        ("订单号{}已发货", "价格是{}元", "共{}个用户", "Maestro festival {}", "invoice 06-{}")
    ).format(chars(c, 8, "12345678")),
    "hyphens": lambda c: "npm_config_registry and pypi-server and hf_hub_download and xai-tools",
}

SENTENCES = (
    "{}",
    "use {} here",
    "I wrote: {}.",
    "- {}\n- next",
    "({})",
    "config:\n  {}\nend",
    "please keep {}, thanks",
)


def _cases(draws: dict[str, Draw], seed: str, each: int) -> Iterator[Case]:
    for kind, draw in draws.items():
        for at in range(each):
            chance = random.Random(f"{seed} {kind} {at}")
            value = draw(chance)
            yield Case(kind, SENTENCES[(at * 3 + len(kind)) % len(SENTENCES)].format(value), value)


def positives(each: int = 8) -> list[Case]:
    return [*_cases(KEYS, "keys", each), *_cases(PERSONAL, "personal", each)]


def negatives(each: int = 12) -> list[Case]:
    return list(_cases(HARMLESS, "harmless", each))
