// A live run and its trace, drawn: the same pixels.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <thread>

#include "app/gui/shell/application.hpp"
#include "tests/app/support/talking_checkpoint.hpp"

using namespace app;
using namespace app::gui;

namespace {

support::CheckpointOptions model_options() {
  support::CheckpointOptions options = support::talking_options();
  options.gates = support::Gates::nvidia_adapter;
  options.layers = 3;
  options.window = 8;
  return options;
}

void wait_for_end(Workbench& bench) {
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (bench.live().running() || !bench.run().finished()) {
    if (std::chrono::steady_clock::now() > patience) FAIL("the run did not end");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    bench.update(0);
    if (bench.live().error) FAIL(bench.live().error->message);
  }
}

Image picture(Workbench& bench, const std::string& panel, std::int32_t position) {
  HostOptions host_options;
  host_options.kind = HostKind::offscreen;
  host_options.width = 900;
  host_options.height = 500;
  auto host = Host::create(host_options);
  if (!host) SKIP(host.error().message);
  ApplicationOptions options;
  options.single_panel = panel;
  Application application(**host, bench, std::move(options));
  bench.go_to(position);
  for (int frame = 0; frame < 6; ++frame) application.frame();
  auto image = (*host)->read_pixels();
  REQUIRE(image);
  return std::move(*image);
}

}  // namespace

TEST_CASE("A run and its replay are the same picture, at every position") {
  const support::TalkingCheckpoint model(model_options());
  Workbench live({});
  live.load_model(model.path());
  RunOptions options;
  options.prompt.text = "The fog came in before the boat did.";
  options.prompt.raw = true;
  options.tokens = 60;
  options.ignore_eos = true;
  options.quality = true;
  live.start_run(options, model.path());
  wait_for_end(live);
  REQUIRE(live.has_run());

  Workbench replay({});
  replay.open_trace(live.trace_path());
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!replay.run().finished()) {
    REQUIRE(std::chrono::steady_clock::now() < patience);
    replay.update(0);
  }
  const std::int32_t last = live.positions() - 1;
  // Not statistics: it writes means of logits, which a trace keeps as halves.
  for (const char* panel :
       {"map", "text", "occupancy", "lens", "compression", "retention", "quality", "kernels", "timeline"}) {
    INFO(panel);
    const Image shown = picture(live, panel, last);
    CHECK(shown.rgba == picture(replay, panel, last).rgba);
    CHECK(picture(live, panel, 40).rgba == picture(replay, panel, 40).rgba);
    if (std::string(panel) == "map")
      CHECK(shown.rgba != picture(live, panel, 40).rgba);  // there is something to see
  }
}
