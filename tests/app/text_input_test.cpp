#include "app/text_input.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/support/temp_folder.hpp"

namespace {

struct Broken {
  std::string text;
  std::size_t at;
};

}  // namespace

TEST_CASE("UTF-8, well-formed text of every length passes") {
  const auto* const text =
      GENERATE("", "plain", "\xc2\x80\xdf\xbf", "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
               "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
  CHECK_FALSE(app::find_invalid_utf8(text));
}

TEST_CASE("UTF-8, the first malformed byte's offset is found") {
  const auto broken = GENERATE(values<Broken>({
      {"ab\x80", 2},            // a continuation byte alone
      {"\xc0\xaf", 0},          // overlong
      {"\xc1\xbf", 0},          // overlong
      {"x\xe0\x9f\xbf", 1},     // overlong
      {"\xed\xa0\x80", 0},      // surrogate
      {"\xf0\x8f\xbf\xbf", 0},  // overlong
      {"\xf4\x90\x80\x80", 0},  // above U+10FFFF
      {"\xf5\x80\x80\x80", 0},  // never a lead byte
      {"abc\xe2\x82", 3},       // cut
      {"\xe2\x28\xa1", 0},      // second byte
      {"\xe2\x82\x28", 0},      // third byte
      {"\xf0\x9f\x98\x28", 0},  // fourth byte
  }));
  CHECK(app::find_invalid_utf8(broken.text) == broken.at);
}

TEST_CASE("UTF-8, the refusal names source, offset and byte") {
  const auto status = app::check_utf8("ok\xff", "prompt.txt");
  REQUIRE_FALSE(status);
  CHECK(status.error().message == "prompt.txt: expected UTF-8, byte 2 (0xff) is not");
}

TEST_CASE("Text file, endless input is refused with the limit") {
  const auto text = app::read_text_file("/dev/zero");
  REQUIRE_FALSE(text);
  CHECK(text.error().message == "/dev/zero: expected a text of at most 67108864 bytes");
}

TEST_CASE("Text file, bytes come as they are") {
  const support::TempFolder folder;
  const std::string content("a\r\n\0b\xff", 6);
  support::write_file(folder / "text", content);
  const auto text = app::read_text_file(folder / "text");
  REQUIRE(text);
  CHECK(*text == content);
}
