#include "app/view/text_search.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/app/view/text_run.hpp"

using namespace app::view;
using view_test::text_run;
using Matches = std::vector<TokenRange>;

namespace {

Matches find(const RunSnapshot& run, const std::string& pattern, SearchOptions options = {}) {
  const auto result = find_text(run.sequences()[0], pattern, options);
  REQUIRE(result);
  return result->matches;
}

SearchOptions regex() {
  SearchOptions options;
  options.regex = true;
  return options;
}

}  // namespace

TEST_CASE("find_text, finds text across tokens") {
  const auto run = text_run({"The", " need", "le", ": 7", "0", "1"});
  CHECK(find(*run, "needle") == Matches{{1, 3}});
  CHECK(find(*run, "701") == Matches{{3, 6}});
  CHECK(find(*run, "T") == Matches{{0, 1}});
  CHECK(find(*run, "absent").empty());
  CHECK(find(*run, "").empty());
}

TEST_CASE("find_text, ignores case unless asked not to, beyond ASCII too") {
  const auto run = text_run({"\xc3\x84hre ", "\xc3\xa4hre"});
  CHECK(find(*run, "\xc3\xa4HRE").size() == 2);
  SearchOptions options;
  options.match_case = true;
  CHECK(find(*run, "\xc3\xa4hre", options) == Matches{{1, 2}});
}

TEST_CASE("find_text, plain text is no expression and an expression is one") {
  const auto run = text_run({"a.c", " abc", "\nabd"});
  CHECK(find(*run, "a.c") == Matches{{0, 1}});
  CHECK(find(*run, "a.c", regex()) == Matches{{0, 1}, {1, 2}});
  CHECK(find(*run, "^ab[cd]$", regex()) == Matches{{2, 3}});
  CHECK(find(*run, "x*", regex()).empty());
}

TEST_CASE("find_text, a pattern that is no expression is refused with the place") {
  const auto result = find_text(text_run({"a"})->sequences()[0], "(a", regex());
  REQUIRE_FALSE(result);
  CHECK(result.error().code == engine::ErrorCode::bad_input);
  CHECK(result.error().message.find("search pattern, character 3") == 0);
}

TEST_CASE("find_text, a pattern that never ends is given up") {
  const auto result = find_text(text_run({std::string(5000, 'a')})->sequences()[0], "(a+)+[bc]", regex());
  REQUIRE_FALSE(result);
  CHECK(result.error().message.find("limit") != std::string::npos);
}

TEST_CASE("find_text, survives text that is not UTF-8 and cuts endless results") {
  const auto run = text_run({"ok \xff\xfe", " ok", std::string(200, 'x')});
  CHECK(find(*run, "ok") == Matches{{0, 1}, {1, 2}});
  SearchOptions options;
  options.max_matches = 7;
  const auto result = find_text(run->sequences()[0], "x", options);
  REQUIRE(result);
  CHECK(result->matches.size() == 7);
  CHECK(result->cut);
}
