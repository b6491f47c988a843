# Reads deb822 apt sources; prints each stanza that serves suite `codename` with component main, rewritten to serve
# `codename`-backports. Everything else of a stanza (URIs, Signed-By, Trusted, ...) is kept.

function flush_stanza() {
  if (text != "" && !disabled && index(" " types " ", " deb ") && index(" " suites " ", " " codename " ") &&
      index(" " components " ", " main "))
    printf "%sSuites: %s-backports\nComponents: main\n\n", text, codename
  text = types = suites = components = field = ""
  disabled = 0
}

function words(line) {
  gsub(/[ \t]+/, " ", line)
  return line
}

/^[ \t\r]*$/ { flush_stanza(); next }
/^#/ { next }
/^[^ \t]/ {
  field = tolower(substr($0, 1, index($0, ":") - 1))
  value = substr($0, index($0, ":") + 1)
}
/^[ \t]/ { value = $0 }
{
  if (field == "suites") suites = suites words(" " value)
  else if (field == "components") components = components words(" " value)
  else {
    if (field == "types") types = types words(" " value)
    if (field == "enabled" && tolower(value) ~ /no/) disabled = 1
    text = text $0 "\n"
  }
}
END { flush_stanza() }
