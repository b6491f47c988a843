#include "tests/app/gui/golden_scene.hpp"

#include <chrono>
#include <thread>

#include "app/gui/shell/application.hpp"

namespace gui_tests {

namespace {

namespace fs = std::filesystem;
using namespace app::gui;
using Clock = std::chrono::steady_clock;

constexpr std::int32_t kPinnedToken = 505;
constexpr app::view::Head kPinnedHead{15, 2};
constexpr std::chrono::seconds kPatience{60};
// Long enough for what is computed beside the frames.
constexpr std::chrono::milliseconds kBetweenFrames{20};
constexpr int kSteadyFrames = 8;

fs::path sample() {
  return fs::path(DMSCOPE_TESTS_DIR).parent_path() / "assets/sample/needle.db";
}

engine::Status open_sample(Workbench& bench) {
  bench.open_trace(sample());
  const auto give_up = Clock::now() + kPatience;
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    bench.update(0);
    if (Clock::now() > give_up) return engine::failed("the sample trace was not read in time");
  } while (bench.trace() == nullptr || !bench.trace()->ended() || !bench.run().finished());
  return {};
}

// Frames until nothing changes any more.
engine::Result<Image> settled_picture(Host& host, Application& application) {
  Image before;
  const auto give_up = Clock::now() + kPatience;
  for (int steady = 0; steady < kSteadyFrames;) {
    application.frame();
    std::this_thread::sleep_for(kBetweenFrames);
    auto picture = host.read_pixels();
    if (!picture) return picture;
    steady = picture->rgba == before.rgba ? steady + 1 : 0;
    before = std::move(*picture);
    if (Clock::now() > give_up) return engine::failed("the picture never comes to rest");
  }
  return before;
}

}  // namespace

fs::path golden_path(const std::string& layout) {
  return fs::path(DMSCOPE_TESTS_DIR) / "app/gui/golden" / (layout + ".png");
}

engine::Result<Image> draw(const GoldenScene& scene) {
  HostOptions host_options;
  host_options.kind = HostKind::offscreen;
  host_options.width = 1280;
  host_options.height = 720;
  auto host = Host::create(host_options);
  if (!host) return host.error();
  Workbench bench({});
  if (auto opened = open_sample(bench); !opened) return opened.error();
  ApplicationOptions options;
  options.welcome = false;
  options.layout = scene.layout;
  options.settings = scene.settings;
  options.settings.scale = 1;
  Application application(**host, bench, std::move(options));
  bench.go_to(scene.position);
  bench.select(app::view::pin_head(app::view::pin_token(bench.selection(), kPinnedToken), kPinnedHead));
  return settled_picture(**host, application);
}

}  // namespace gui_tests
