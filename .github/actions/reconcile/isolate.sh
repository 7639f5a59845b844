# Sourced before reconciler runs in a checkout that a pull request wrote: no Python of this step, and no process that
# it starts, looks for code there. Of PYTHONPATH only absolute directories outside of the checkout stay, and those only
# where the workflow brought its own reconciler.
kept=""
if [[ ${OWN_INSTALLATION:-} != true ]]; then
  checkout=$(pwd -P)
  IFS=: read -r -a entries <<<"${PYTHONPATH:-}" || true
  for entry in ${entries[@]+"${entries[@]}"}; do
    [[ $entry == /* && -d $entry ]] || continue
    real=$(cd "$entry" && pwd -P)
    [[ $real == "$checkout" || $real == "$checkout"/* ]] || kept+="${kept:+:}$real"
  done
fi
for name in $(compgen -e); do
  case $name in PYTHON*) unset "$name" ;; esac
done
[[ -z $kept ]] || export PYTHONPATH=$kept
export PYTHONSAFEPATH=1
