#include "app/eval/journal.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <fstream>
#include <iterator>

#include "tests/support/temp_folder.hpp"

using app::eval::Journal;
using app::eval::SampleResult;

namespace {

const nlohmann::ordered_json kIdentity{{"model", "m"}, {"seed", 3}};

SampleResult answer(std::int32_t sample) {
  SampleResult result;
  result.key = {"needle", 2048, sample, "dms, CR 4"};
  result.asked = 0xffff'ffff'ffff'fff0U;
  result.policy = "dms";
  result.window = 64;
  result.threshold = -HUGE_VAL;
  result.target_cr = 4;
  result.depth = 0.25;
  result.prompt_tokens = 2000;
  result.cost = {1000, 250, 300, 77};
  result.seconds = 1.5;
  result.answer = app::eval::AnswerScore{true, 2, 3, 40, "It is \"5\".\n\xe2\x82"};
  return result;
}

SampleResult text(std::int32_t sample) {
  SampleResult result = answer(sample);
  result.key.task = "text";
  result.answer.reset();
  result.depth.reset();
  result.text = app::eval::TextScore{99, 12.5, 0.25, 90};
  return result;
}

Journal open(const std::filesystem::path& folder, const nlohmann::ordered_json& identity = kIdentity) {
  auto journal = Journal::open(folder, identity);
  if (!journal) FAIL(journal.error().message);
  return std::move(*journal);
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("Journal, gives back what an earlier run left, field by field") {
  const support::TempFolder folder;
  {
    Journal journal = open(folder / "out");
    REQUIRE(journal.add(answer(0)));
    REQUIRE(journal.add(text(1)));
  }
  const Journal journal = open(folder / "out");
  CHECK(journal.resumed() == 2);
  for (const SampleResult& expected : {answer(0), text(1)}) {
    const SampleResult* found = journal.find(expected.key, expected.asked);
    REQUIRE(found != nullptr);
    SampleResult same = expected;
    if (same.answer) same.answer->text = "It is \"5\".\n\xef\xbf\xbd";  // the unfinished character
    CHECK(to_json(*found).dump() == to_json(same).dump());
  }
  CHECK(journal.find(answer(2).key, answer(2).asked) == nullptr);
}

TEST_CASE("Journal, a result of another question under the same key is not taken") {
  Journal journal;
  REQUIRE(journal.add(answer(0)));
  CHECK(journal.find(answer(0).key, 1) == nullptr);
}

TEST_CASE("Journal, drops a line that a crash cut and goes on behind what is whole") {
  const support::TempFolder folder;
  {
    Journal journal = open(folder / "out");
    REQUIRE(journal.add(answer(0)));
    REQUIRE(journal.add(answer(1)));
  }
  const auto path = folder / "out/samples.jsonl";
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 9);
  {
    Journal journal = open(folder / "out");
    CHECK(journal.resumed() == 1);
    REQUIRE(journal.add(answer(2)));
  }
  CHECK(open(folder / "out").resumed() == 2);
}

TEST_CASE("Journal, refuses results of another evaluation, and leaves them") {
  const support::TempFolder folder;
  {
    Journal journal = open(folder / "out");
    REQUIRE(journal.add(answer(0)));
  }
  const std::string before = content_of(folder / "out/samples.jsonl");
  const auto other = Journal::open(folder / "out", {{"model", "m"}, {"seed", 4}});
  REQUIRE(!other);
  CHECK(other.error().message.find("holds results with seed 3, expected 4") != std::string::npos);
  CHECK(content_of(folder / "out/samples.jsonl") == before);
}

TEST_CASE("Journal, refuses what is no journal, a line in it that is none, and a second writer") {
  const support::TempFolder folder;
  std::filesystem::create_directory(folder / "a");
  support::write_file(folder / "a/samples.jsonl", "hello\n");
  CHECK(Journal::open(folder / "a", kIdentity).error().message.find("not the results of an evaluation") !=
        std::string::npos);
  { Journal journal = open(folder / "b"); }
  std::ofstream(folder / "b/samples.jsonl", std::ios::app) << "{\"task\": 7}\n";
  CHECK(Journal::open(folder / "b", kIdentity).error().message.find("line 2: expected a result") !=
        std::string::npos);
  const Journal journal = open(folder / "c");
  CHECK(Journal::open(folder / "c", kIdentity).error().message.find("another evaluation writes it") !=
        std::string::npos);
}
