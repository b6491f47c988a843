#include "app/view/text_layout.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "tests/app/view/text_run.hpp"

using namespace app::view;
using view_test::text_run;

namespace {

// Ten pixels a byte.
TextMeasure measure() {
  TextMeasure made;
  made.width = [](std::string_view text) { return static_cast<float>(text.size()) * 10; };
  made.line_break_width = 5;
  return made;
}

TextLayout layout(const RunSnapshot& run, float width) {
  TextLayout made;
  made.update(run, run.sequences()[0], {0, run.sequences()[0].tokens()}, width, measure());
  return made;
}

// The text of each line.
std::vector<std::string> lines(const RunSnapshot& run, const TextLayout& layout) {
  std::vector<std::string> found;
  for (std::int32_t i = 0; i < layout.line_count(); ++i) {
    std::string text;
    for (const TextPiece& piece : layout.line(i)) {
      text += run.sequences()[0]
                  .token(piece.token)
                  .text.substr(static_cast<std::size_t>(piece.begin),
                               static_cast<std::size_t>(piece.end - piece.begin));
    }
    found.push_back(text);
  }
  return found;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("TextLayout, breaks before a space and keeps words whole") {
  const auto run = text_run({"The", " comp", "res", "sion", " ratio"});
  CHECK(lines(*run, layout(*run, 1000)) == Lines{"The compression ratio"});
  CHECK(lines(*run, layout(*run, 160)) == Lines{"The compression", " ratio"});
  CHECK(lines(*run, layout(*run, 125)) == Lines{"The", " compression", " ratio"});
}

TEST_CASE("TextLayout, breaks a word between tokens where it is longer than a line") {
  const auto run = text_run({"un", "believ", "able", "!"});
  CHECK(lines(*run, layout(*run, 85)) == Lines{"unbeliev", "able!"});
  CHECK(lines(*run, layout(*run, 1)) == Lines{"un", "believ", "able", "!"});
}

TEST_CASE("TextLayout, breaks a token that is longer than a line, between characters") {
  const std::string long_token(40, '=');
  const auto run = text_run({"a", " " + long_token, " b"});
  const TextLayout made = layout(*run, 250);
  CHECK(lines(*run, made) == Lines{"a", " " + std::string(23, '='), std::string(17, '=') + " b"});
  for (std::int32_t line = 0; line < made.line_count(); ++line) {
    const TextPiece& last = made.line(line).back();
    CHECK(last.x + last.width <= 250);
  }
  CHECK(made.rects(1).size() == 4);
  CHECK(made.token_at(1, 200) == 1);
  CHECK(lines(*run, layout(*run, 1000)) == Lines{"a " + long_token + " b"});
}

TEST_CASE("TextLayout, does not cut a character, nor an accent off its letter") {
  std::string accents, faces;
  for (int i = 0; i < 30; ++i) accents += "e\u0301", faces += "\U0001F44B\U0001F3FD";
  const auto run = text_run({accents, faces});
  const TextLayout made = layout(*run, 1);
  REQUIRE(made.line_count() == 6);
  std::string all;
  for (const std::string& line : lines(*run, made)) {
    const bool whole_letter = line.starts_with("e") && line.ends_with("\u0301");
    const bool whole_face = line.starts_with("\U0001F44B") && line.ends_with("\U0001F3FD");
    CHECK((whole_letter || whole_face));
    all += line;
  }
  CHECK(all == accents + faces);
}

TEST_CASE("TextLayout, line breaks inside of a token make lines, and empty ones") {
  const auto run = text_run({"a\n", "\n\nb", "c"});
  const TextLayout made = layout(*run, 1000);
  CHECK(lines(*run, made) == Lines{"a", "", "", "bc"});
  const auto rects = made.rects(1);
  REQUIRE(rects.size() == 3);
  CHECK(rects[0].line == 1);
  CHECK(rects[0].width == 5);
  CHECK(rects[2].line == 3);
  CHECK(rects[2].x == 0);
}

TEST_CASE("TextLayout, finds the token at a point and the place of a token") {
  const auto run = text_run({"ab", "", " c", "\xe2\x9c\x93"});
  const TextLayout made = layout(*run, 1000);
  CHECK(made.token_at(0, 0) == 0);
  CHECK(made.token_at(0, 19.9f) == 0);
  CHECK(made.token_at(0, 20) == 2);
  CHECK(made.token_at(0, 69) == 3);
  CHECK_FALSE(made.token_at(0, 70));
  CHECK_FALSE(made.token_at(0, -1));
  CHECK_FALSE(made.token_at(1, 0));
  CHECK(made.rects(1).empty());
  CHECK(made.line_of(1) == 0);
  CHECK(made.line_of(99) == 0);
  for (std::int32_t token : {0, 2, 3}) {
    for (const TextRect& rect : made.rects(token)) CHECK(made.token_at(rect.line, rect.x) == token);
  }
}

TEST_CASE("TextLayout, growing token by token gives the same lines as all at once") {
  std::mt19937 random(5);
  const std::vector<std::string> words = {" the", "re",   " is",   "\n",      " a\nb",
                                          "",     "mark", " very", "longish", "."};
  std::vector<std::string> texts;
  for (int i = 0; i < 600; ++i) texts.push_back(words[random() % words.size()]);
  RunModel model;
  view_test::start_text(model);
  TextLayout grown;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    view_test::add_tokens(model, {texts[i]});
    const auto run = model.snapshot();
    grown.update(*run, run->sequences()[0], {0, static_cast<std::int32_t>(i + 1)}, 137, measure());
  }
  const auto run = model.snapshot();
  CHECK(lines(*run, grown) == lines(*run, layout(*run, 137)));
}

TEST_CASE("TextLayout, another width or font lays out again, with widths asked for once per font") {
  const auto run = text_run({"one", " two", " three"});
  int asked = 0;
  TextMeasure counting = measure();
  counting.width = [&](std::string_view text) {
    ++asked;
    return static_cast<float>(text.size()) * 10;
  };
  TextLayout made;
  const auto update = [&](float width) { made.update(*run, run->sequences()[0], {0, 3}, width, counting); };
  update(1000);
  update(1000);
  update(50);
  CHECK(asked == 3);
  CHECK(made.line_count() == 3);
  update(1000);
  CHECK(made.line_count() == 1);
  counting.version = 1;
  update(1000);
  CHECK(asked == 6);
}

TEST_CASE("TextLayout, shows a part of the sequence only") {
  const auto run = text_run({"a", "b", "c", "d"});
  TextLayout made;
  made.update(*run, run->sequences()[0], {1, 3}, 1000, measure());
  CHECK(lines(*run, made) == Lines{"bc"});
  made.update(*run, run->sequences()[0], {2, 100}, 1000, measure());
  CHECK(lines(*run, made) == Lines{"cd"});
  made.update(*run, run->sequences()[0], {0, 0}, 1000, measure());
  CHECK(made.line_count() == 0);
  CHECK(made.line_of(0) == 0);
}

TEST_CASE("TextLayout, the minimap is the mean of the tokens' values on the lines of a pixel") {
  const auto run = text_run({"a\n", "b\n", "c", "c\n", "d"});
  const TextLayout made = layout(*run, 1000);
  const std::vector<float> values = {1, 3, 4, 8, 5};
  CHECK(made.minimap(values, 100) == std::vector<float>{1, 3, 6, 5});
  CHECK(made.minimap(values, 2) == std::vector<float>{2, 17.0f / 3});
  CHECK(made.minimap(values, 0).empty());
  CHECK(made.minimap({}, 2) == std::vector<float>{0, 0});
}
