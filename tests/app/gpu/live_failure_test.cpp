// What the window's engine says of a run that its GPU could not begin, or not end.
#include <chrono>
#include <functional>
#include <thread>

#include "app/live/live_engine.hpp"
#include "tests/app/gpu/emulated_run.hpp"

namespace {

using app::live::LiveEngine;
using app::live::LiveState;
using app::live::LiveStatus;

void wait_for(const std::function<bool()>& reached) {
  for (int i = 0; i < 6000 && !reached(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  REQUIRE(reached());
}

struct Live {
  test::SmallDevice device;
  support::TalkingCheckpoint checkpoint;
  LiveEngine engine;
  app::RunOptions options;

  Live() {
    cuda_emulation::control().memory_bytes = std::size_t{160} << 20;  // a window's run takes what it may
    options.prompt.text = "ab";
    options.prompt.raw = true;
    options.tokens = 4;
    options.ignore_eos = true;
    options.device.device = "cuda";
    options.profile = "off";
    engine.post(app::live::LoadModel{checkpoint.path()});
    wait_for([&] { return engine.status()->state == LiveState::ready; });
  }
  std::shared_ptr<const LiveStatus> run(std::shared_ptr<engine::EventSink> sink) {
    const auto runs = engine.status()->run;
    engine.post(app::live::StartRun{options, std::move(sink)});
    wait_for([&] { return engine.status()->run > runs && !engine.status()->running(); });
    return engine.status();
  }
};

// Loses the device with the first step.
class LosesDevice : public test::Collected {
 public:
  void on_event(engine::Event event) override {
    if (std::holds_alternative<engine::StepFinished>(event)) {
      cuda_emulation::control().launches_until_failure = 0;
    }
    Collected::on_event(std::move(event));
  }
};

}  // namespace

TEST_CASE("LiveEngine, a run that loses its GPU is the GPU's failure, and the CPU runs it") {
  Live live;
  const auto lost = live.run(std::make_shared<LosesDevice>());
  REQUIRE(lost->error);
  CAPTURE(lost->error->message);
  CHECK(lost->gpu_failed);
  CHECK(lost->model != nullptr);
  live.options.device.device = "cpu";
  live.options.profile.reset();
  const auto done = live.run(std::make_shared<test::Collected>());
  CHECK_FALSE(done->error);
  CHECK_FALSE(done->gpu_failed);
  CHECK(done->summary);
}

TEST_CASE("LiveEngine, a GPU that cannot be used is the GPU's failure, a bad prompt is not") {
  Live live;
  live.options.device.device = "cuda:7";
  const auto refused = live.run(std::make_shared<test::Collected>());
  REQUIRE(refused->error);
  CAPTURE(refused->error->message);
  CHECK(refused->gpu_failed);
  live.options.device.device = "cuda";
  live.options.tokens = 100'000;
  const auto too_long = live.run(std::make_shared<test::Collected>());
  REQUIRE(too_long->error);
  CHECK_FALSE(too_long->gpu_failed);
}
