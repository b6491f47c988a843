// Runs on the emulated GPU, with a library that stands for CUPTI.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/recorded_run.hpp"
#include "profiling/gpu/cupti_source.hpp"
#include "profiling/gpu/shared_library.hpp"
#include "tests/app/support/talking_checkpoint.hpp"
#include "tests/cuda_emulation/control.hpp"

namespace test {

// False where this program was built without CUPTI's headers.
inline bool has_cupti() {
#ifdef DMSCOPE_MOCK_CUPTI
  return static_cast<bool>(profiling::cupti_source(DMSCOPE_MOCK_CUPTI, DMSCOPE_MOCK_CUPTI));
#else
  return false;
#endif
}

// While it lives, what stands for CUPTI records one kernel for each scope that is launched in.
class RecordedKernels {
 public:
  RecordedKernels() { record(true); }
  ~RecordedKernels() { record(false); }
  RecordedKernels(const RecordedKernels&) = delete;
  RecordedKernels& operator=(const RecordedKernels&) = delete;

 private:
  static void record([[maybe_unused]] bool on) {
#ifdef DMSCOPE_MOCK_CUPTI
    const auto library = profiling::SharedLibrary::open(DMSCOPE_MOCK_CUPTI, true);
    REQUIRE(library);
    const auto set = reinterpret_cast<void (*)(bool)>(library->symbol("mock_cupti_runs_kernels"));
    REQUIRE(set != nullptr);
    set(on);
#endif
  }
};

// The emulated device as it was, however the test ends; small, so that little has to be emulated.
class SmallDevice {
 public:
  SmallDevice() : before_(cuda_emulation::control()) {
    has_cupti();  // before anybody looks for the installed one
    cuda_emulation::control().memory_bytes = std::size_t{16} << 20;
  }
  ~SmallDevice() {
    cuda_emulation::recover();
    cuda_emulation::control() = before_;
  }
  SmallDevice(const SmallDevice&) = delete;
  SmallDevice& operator=(const SmallDevice&) = delete;

 private:
  cuda_emulation::Control before_;
};

class Collected : public engine::EventSink {
 public:
  void on_event(engine::Event event) override { events.push_back(std::move(event)); }

  std::optional<std::string> parameter(const std::string& name) const {
    std::optional<std::string> value;
    for (const engine::Event& event : events) {
      const auto* changed = std::get_if<engine::ParameterChanged>(&event);
      if (changed != nullptr && changed->name == name) value = changed->value;
    }
    return value;
  }
  bool noticed(const std::string& words) const {
    for (const engine::Event& event : events) {
      const auto* notice = std::get_if<engine::Notice>(&event);
      if (notice != nullptr && notice->text.find(words) != std::string::npos) return true;
    }
    return false;
  }

  std::vector<engine::Event> events;
};

// A run of a few tokens as `dmscope record` makes it.
class EmulatedRun {
 public:
  EmulatedRun() {
    options.device.device = "cuda";
    options.tokens = 4;
    options.ignore_eos = true;
  }

  app::RecordedRun operator()(engine::EventSink& sink, const std::optional<app::TraceTarget>& trace = {}) {
    const auto loaded = app::load_for_run(checkpoint.path());
    REQUIRE(loaded);
    auto setup = app::set_up_run(*loaded, app::PromptText{"ab", {}}, options);
    if (!setup) FAIL(setup.error().message);
    setup->session.backend.cache_bytes = cache_bytes;
    auto done = app::run_recorded(*loaded, *setup, trace, &sink, [](const engine::Error&) {});
    if (!done) FAIL(done.error().message);
    return std::move(*done);
  }

  support::TalkingCheckpoint checkpoint;
  app::RunOptions options;
  std::int64_t cache_bytes = std::int64_t{1} << 20;
};

}  // namespace test
