#include "app/recording.hpp"

#include <catch2/catch_test_macros.hpp>

#include "profiling/trace_reader.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

class Collected : public engine::EventSink {
 public:
  void on_event(engine::Event event) override { events.push_back(std::move(event)); }
  std::vector<engine::Event> events;
};

engine::RunStarted started() {
  engine::RunStarted run;
  run.model_name = "tiny";
  run.shape = {2, 4, 2, 8, 32, 96, 512};
  run.policy = "dense";
  return run;
}

}  // namespace

TEST_CASE("Recording, the command's own notices follow the start of the run in the trace") {
  const support::TempFolder folder;
  auto trace = profiling::TraceWriter::create(folder / "t.db", {});
  REQUIRE(trace);
  Collected also;
  app::Recording recording(trace->get(), &also, {"from the command line"},
                           [](const engine::Error&) { FAIL("no error expected"); });
  recording.on_event(started());
  recording.on_event(engine::Notice{"from the engine"});
  recording.on_event(engine::RunFinished{0, "length"});
  REQUIRE((*trace)->finish());

  REQUIRE(recording.run());
  CHECK(recording.run()->model_name == "tiny");
  CHECK(recording.notices() == std::vector<std::string>{"from the command line", "from the engine"});
  const auto reader = profiling::TraceReader::open(folder / "t.db");
  REQUIRE(reader);
  Collected events;
  REQUIRE((*reader)->replay(events));
  REQUIRE(events.events.size() == 4);
  REQUIRE(also.events.size() == 4);
  CHECK(std::get<engine::Notice>(also.events[1]).text == "from the command line");
  CHECK(std::get<engine::Notice>(events.events[1]).text == "from the command line");
  CHECK(std::get<engine::Notice>(events.events[2]).text == "from the engine");
}

TEST_CASE("Recording, without a trace the other sink gets everything") {
  Collected also;
  app::Recording recording(nullptr, &also, {"from the window"},
                           [](const engine::Error&) { FAIL("no error expected"); });
  recording.on_event(started());
  recording.on_event(engine::RunFinished{0, "length"});
  REQUIRE(also.events.size() == 3);
  CHECK(std::get<engine::Notice>(also.events[1]).text == "from the window");
  CHECK(recording.run()->model_name == "tiny");
}
