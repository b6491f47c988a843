// stats, sql, export and info on a trace that record wrote.
#include <signal.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/app/support/program.hpp"
#include "tests/app/support/talking_checkpoint.hpp"

using nlohmann::json;
using support::run_program;

namespace {

class Recorded {
 public:
  Recorded() {
    const auto result =
        run_program({"record", "--model", model_.path(), "--prompt", "Hello", "--raw", "--tokens", "20",
                     "--trace", trace(), "--quiet", "--ignore-eos", "--threads", "1"});
    INFO(result.err);
    REQUIRE(result.status == 0);
  }
  std::string trace() const { return (model_ / "t.db").string(); }
  std::string path(std::string_view name) const { return (model_ / name).string(); }

 private:
  support::TalkingCheckpoint model_;
};

}  // namespace

TEST_CASE("stats, as JSON and for people") {
  const Recorded recorded;
  const auto as_json = run_program({"stats", recorded.trace(), "--json"});
  REQUIRE(as_json.status == 0);
  CHECK(json::parse(as_json.out).is_object());
  const auto as_text = run_program({"stats", recorded.trace()});
  CHECK(as_text.status == 0);
  CHECK_FALSE(as_text.out.empty());
}

TEST_CASE("sql, CSV with a header line, or JSON") {
  const Recorded recorded;
  const std::string query = "SELECT position, id FROM tokens WHERE position < 2 ORDER BY position";
  const auto csv = run_program({"sql", recorded.trace(), query});
  CHECK(csv.status == 0);
  CHECK(csv.out == "position,id\n0,72\n1,101\n");
  const auto as_json = run_program({"sql", recorded.trace(), query, "--json"});
  CHECK(json::parse(as_json.out) == json{{{"position", 0}, {"id", 72}}, {{"position", 1}, {"id", 101}}});
}

TEST_CASE("sql, a query that is wrong or would write is refused") {
  const Recorded recorded;
  const auto* const query =
      GENERATE("SELEC 1", "SELECT * FROM nothing", "DELETE FROM meta", "DROP TABLE meta", "");
  const auto result = run_program({"sql", recorded.trace(), query});
  INFO(result.err);
  CHECK(result.status == 2);
  CHECK(result.out.empty());
  CHECK(run_program({"stats", recorded.trace()}).status == 0);
}

TEST_CASE("sql, a reader that goes away ends the query with the reason") {
  const Recorded recorded;
  const auto result = run_program(
      {"sql", recorded.trace(),
       "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT i FROM n"},
      {.out_unread = true});
  CHECK(result.status == 1);
  CHECK(result.first_error() == "dmscope: standard output: Broken pipe");
}

TEST_CASE("sql, a signal ends a query that goes on and on") {
  const Recorded recorded;
  support::ProgramOptions options;
  options.on_first_output = [](pid_t program) { kill(program, SIGINT); };
  const auto result =
      run_program({"sql", recorded.trace(),
                   "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"},
                  options);
  CHECK(result.status == 1);
  CHECK(result.first_error().find("interrupted") != std::string::npos);
}

TEST_CASE("export, Perfetto JSON and CSV files") {
  const Recorded recorded;
  const auto perfetto = run_program({"export", recorded.trace(), "--perfetto", recorded.path("out.json")});
  INFO(perfetto.err);
  REQUIRE(perfetto.status == 0);
  CHECK_FALSE(json::parse(std::ifstream(recorded.path("out.json"))).empty());
  const auto csv = run_program({"export", recorded.trace(), "--csv", recorded.path("tables")});
  INFO(csv.err);
  REQUIRE(csv.status == 0);
  std::ifstream tokens(recorded.path("tables/tokens.csv"));
  std::string header;
  std::getline(tokens, header);
  CHECK(header.starts_with("sequence,position,id,text"));
}

TEST_CASE("info, what a trace is") {
  const Recorded recorded;
  const auto result = run_program({"info", recorded.trace(), "--json"});
  INFO(result.err);
  REQUIRE(result.status == 0);
  CHECK(json::parse(result.out)["trace"].is_object());
  CHECK(run_program({"info", recorded.trace()}).status == 0);
}

TEST_CASE("Trace commands, a file that is no trace is refused by name and left as it was") {
  const support::TempFolder folder;
  support::write_file(folder / "other", "not a trace");
  const std::string path = (folder / "other").string();
  const std::vector<std::vector<std::string>> commands{{"stats", path, "--json"},
                                                       {"stats", path},
                                                       {"sql", path, "SELECT 1"},
                                                       {"info", path},
                                                       {"export", path, "--csv", (folder / "csv").string()},
                                                       {"stats", path + ".none"}};
  for (const auto& arguments : commands) {
    const auto result = run_program(arguments);
    INFO(result.err);
    CHECK(result.status == 2);
    CHECK(result.first_error().find(path) != std::string::npos);
  }
  CHECK(std::filesystem::file_size(path) == 11);
}
