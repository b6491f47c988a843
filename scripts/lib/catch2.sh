# shellcheck shell=bash
# Catch2 3. Debian 12 has it only in its backports, which many systems do not list: the suite is derived from the
# apt sources already there, used for this one package, and the system's own list of sources is left as it was.
# Needs packages.sh.

# Newest version 3 or later that apt knows, from any suite; empty if none.
catch2_version() {
  local version best=
  while read -r version; do
    dpkg --compare-versions "$version" ge 3 || continue
    [[ -n $best ]] && dpkg --compare-versions "$version" le "$best" || best=$version
  done < <(LC_ALL=C apt-cache "$@" madison catch2 2>/dev/null | awk -F' *[|] *' '{print $2}')
  printf '%s' "$best"
}

# derive_backports CODENAME FROM INTO: the sources under FROM (laid out like /etc/apt) that serve CODENAME, rewritten
# to serve CODENAME-backports, into the folder INTO. Fails if there are none.
derive_backports() {
  local codename=$1 from=$2 into=$3 file blank='[[:space:]]'
  # deb [options] URI suite component...
  local line="^$blank*deb$blank+(\[[^]]*\]$blank+)?([^[:space:]]+)$blank+${codename}$blank+([^#]*$blank)?main($blank.*)?$"
  for file in "$from"/sources.list "$from"/sources.list.d/*.list; do
    [[ ! -r $file ]] || sed -n -E "s%$line%deb \1\2 $codename-backports main%p" "$file"
  done | sort -u >"$into/derived.list"
  for file in "$from"/sources.list.d/*.sources; do
    [[ ! -r $file ]] || awk -v codename="$codename" -f scripts/lib/derive_backports.awk "$file"
  done >"$into/derived.sources"
  [[ -s $into/derived.list || -s $into/derived.sources ]]
}

install_catch2() {
  local version
  version=$(catch2_version)
  if [[ -n $version ]]; then
    apt_get install "catch2=$version" || fail "apt-get install catch2=$version failed, its reason is above"
  else
    (install_catch2_from_backports)
  fi
}

# Runs in a subshell, which removes the derived sources when it ends.
install_catch2_from_backports() {
  local codename version scratch
  codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
  scratch=$(mktemp -d)
  # shellcheck disable=SC2064  # the folder's name now, not then
  trap "rm -rf '$scratch'" EXIT
  derive_backports "$codename" /etc/apt "$scratch" ||
    fail "Catch2 3 is needed, apt has none, and no apt source serves ${codename:-this release}: add a suite that has it"
  say "Catch2 3 comes from $codename-backports, at the servers of your apt sources"
  find /etc/apt/sources.list.d -maxdepth 1 \( -name '*.list' -o -name '*.sources' \) -exec ln -s -t "$scratch" {} +
  local options=(-o "Dir::Etc::SourceParts=$scratch")
  apt_get update "${options[@]}" || true  # some of the servers may lack the suite
  version=$(catch2_version "${options[@]}")
  [[ -n $version ]] || fail "Catch2 3 is needed and $codename-backports could not be read or does not have it"
  apt_get install "${options[@]}" "catch2=$version" ||
    fail "apt-get install catch2=$version from $codename-backports failed, its reason is above"
}
