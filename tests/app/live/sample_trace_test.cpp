// The trace that is shipped is what its card says.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "app/live/trace_source.hpp"
#include "tests/app/live/collected_events.hpp"

using namespace app::live;

TEST_CASE("The sample trace, is small, whole, finds its needle and has spans and quality") {
  const std::filesystem::path path =
      std::filesystem::path(DMSCOPE_TESTS_DIR).parent_path() / "assets/sample/needle.db";
  CHECK(std::filesystem::file_size(path) <= 4'000'000);
  auto sink = std::make_shared<live_test::CollectedEvents>();
  const TraceSource source(path, sink);
  live_test::wait_for("the end", [&] { return source.status()->ended(); });
  INFO(source.status()->reason);
  REQUIRE(source.status()->state == TraceState::finished);
  std::string answer;
  for (const auto& token : sink->all<engine::TokenAdded>()) {
    if (token.phase == engine::Phase::decode) answer += token.text;
  }
  CHECK(answer.find("58316") != std::string::npos);
  const auto run = sink->all<engine::RunStarted>().front();
  CHECK(run.policy == "dms");
  CHECK(run.prompt.find("58316") != std::string::npos);
  CHECK(!sink->all<engine::SpansRecorded>().empty());
  CHECK(sink->all<engine::QualityMeasured>().size() == 2 * 1054);
}
