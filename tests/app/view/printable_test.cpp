#include "app/view/printable.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace app::view;

TEST_CASE("Printable, text of any script stays as it is") {
  for (const char* text :
       {"plain", " caf\u00e9", "\u65e5\u672c", "\u05e9\u05dc\u05d5\u05dd", "\U0001F600", ""}) {
    CHECK(is_printable(text));
    CHECK(printable(text) == text);
  }
}

TEST_CASE("Printable, control characters become escapes") {
  CHECK(printable("a\tb\r\n") == "a\\tb\\r\\n");
  CHECK(printable(std::string_view("\0\x1b[0m", 5)) == "\\x00\\x1b[0m");
  CHECK(printable("\x7f") == "\\x7f");
  CHECK_FALSE(is_printable("a\tb"));
}

TEST_CASE("Printable, what turns text around or has no width becomes an escape") {
  CHECK(printable("\u202eabc") == "\\u202eabc");
  CHECK(printable("a\u200bb") == "a\\u200bb");
  CHECK(printable("\ufeff") == "\\ufeff");
  CHECK(printable("\u2066") == "\\u2066");
}

TEST_CASE("Printable, bytes that are no UTF-8 become escapes") {
  CHECK(printable("\xff") == "\\xff");
  CHECK(printable("a\xc3") == "a\\xc3");
  CHECK(printable("\xe2\x82z") == "\\xe2\\x82z");
}
