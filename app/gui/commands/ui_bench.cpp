#include "app/gui/commands/ui_bench.hpp"

#include <imgui.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "app/bench/series.hpp"
#include "app/bench/trace_size.hpp"
#include "app/gui/shell/application.hpp"
#include "app/progress.hpp"
#include "app/run_setup.hpp"

namespace app {

namespace {

namespace fs = std::filesystem;
using gui::Application;
using gui::Workbench;
using Json = nlohmann::ordered_json;

constexpr int kWidth = 1600;
constexpr int kHeight = 900;
constexpr int kFrames = 100;  // of each kind
constexpr double kNullFramesPerSecond = 10;
constexpr double kLongestSleep = 0.02;  // seconds, between looks at the run
constexpr double kIdleSeconds = 5;      // measured
constexpr double kIdleWait = 1;         // seconds, the longest that a window sleeps

struct UiBenchOptions {
  std::optional<std::string> model;
  std::int32_t rounds = 3;
  std::int32_t tokens = 128;
  bool ui = true;
  bool json = false;
  bool quiet = false;
};

// CPU time of the calling thread, in milliseconds.
double thread_milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

// CPU time of all threads, in seconds.
double process_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::int64_t status_bytes(const char* key) {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    std::int64_t kibibytes = 0;
    if (word == key && file >> kibibytes) return kibibytes << 10;
  }
  return 0;
}

gui::ApplicationOptions look(const char* layout) {
  gui::ApplicationOptions options;
  options.settings.scale = 1;
  options.layout = layout;
  options.welcome = false;
  return options;
}

engine::Result<std::unique_ptr<gui::Host>> make_host(gui::HostKind kind) {
  gui::HostOptions options;
  options.kind = kind;
  options.width = kWidth;
  options.height = kHeight;
  return gui::Host::create(options);
}

// A trace that is removed again.
class ScratchTrace {
 public:
  ScratchTrace() : path_(fs::temp_directory_path() / fmt::format("dmscope-bench-ui-{}.db", ::getpid())) {}
  ~ScratchTrace() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  ScratchTrace(const ScratchTrace&) = delete;
  ScratchTrace& operator=(const ScratchTrace&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Frames of one layout, with CPU time per frame in milliseconds.
class FrameTimes {
 public:
  FrameTimes(Application& application, Workbench& bench) : application_(application), bench_(bench) {}

  // `before(i)` happens before frame i and is part of it.
  Json measure(const std::function<void(int)>& before) {
    std::vector<double> times;
    for (int i = 0; i < kFrames; ++i) {
      const double start = thread_milliseconds();
      before(i);
      application_.frame();
      times.push_back(thread_milliseconds() - start);
    }
    std::sort(times.begin(), times.end());
    return {{"median_ms", times[times.size() / 2]},
            {"p95_ms", times[times.size() * 95 / 100]},
            {"max_ms", times.back()}};
  }

  Json all() {
    for (int i = 0; i < 10; ++i) application_.frame();
    Json json;
    json["frame"] = measure([](int) {});
    const std::int32_t last = bench_.positions() - 1;
    json["scrub"] = measure([&](int i) { bench_.go_to(last - last * i / kFrames); });
    bench_.follow();
    json["theta_drag"] = measure([&](int i) {
      view::CacheSettings settings;
      settings.threshold = bench_.cache().threshold() - 2 + 4.0 * i / kFrames;
      bench_.set_preview(settings);
    });
    bench_.set_preview({});
    json["hover"] = measure([&](int i) {
      ImGui::GetIO().AddMousePosEvent(400 + 5.0F * static_cast<float>(i), 300 + static_cast<float>(i));
    });
    ImGui::GetIO().AddMousePosEvent(-1, -1);
    return json;
  }

 private:
  Application& application_;
  Workbench& bench_;
};

// Frames between the pointer's arrival over a token and the first one that shows it in every panel.
Json measure_hover_delay(Application& application, Workbench& bench) {
  int slowest = 0, found = 0;
  for (int i = 0; i < kFrames; ++i) {
    for (int rest = 0; rest < 2; ++rest) application.frame();  // nothing of the move before is on its way
    const auto before = bench.hover().token;
    ImGui::GetIO().AddMousePosEvent(400 + 5.0F * static_cast<float>(i), 300);
    int frames = 0;
    // The frame that receives the pointer, and those after it until a panel has what it is over.
    do application.frame();
    while (++frames < 10 && bench.hover().token == before);
    if (bench.hover().token == before) continue;  // still over the same token, or beside the map
    ++found;
    slowest = std::max(slowest, frames - 1);
  }
  ImGui::GetIO().AddMousePosEvent(-1, -1);
  application.frame();
  return {{"moves", found}, {"slowest_frames", slowest}};
}

// What a window costs that nobody touches, with a trace open and nothing going on: its loop, without the
// window system.
Json measure_idle(gui::Host& host, Application& application) {
  for (int i = 0; i < 2 * gui::FramePacer::kFramesAfterInput; ++i) application.frame();
  const double start = gui::clock_seconds(), cpu = process_seconds();
  int frames = 0;
  for (double now = start; now < start + kIdleSeconds; now = gui::clock_seconds()) {
    const double wait = std::min({kIdleWait, host.pacer().due() - now, start + kIdleSeconds - now});
    if (wait > 0) std::this_thread::sleep_for(std::chrono::duration<double>(wait));
    if (host.pacer().due() > gui::clock_seconds()) continue;
    application.frame();
    ++frames;
  }
  const double seconds = gui::clock_seconds() - start;
  return {{"seconds", seconds}, {"frames", frames}, {"cpu_share", (process_seconds() - cpu) / seconds}};
}

engine::Result<Json> measure_trace(Progress& progress) {
  const ScratchTrace trace;
  progress.show("bench --ui: writing a synthetic trace", 0, 1);
  if (auto written = write_synthetic_trace(trace.path(), true, {}); !written) return written.error();
  auto host = make_host(gui::HostKind::null);
  if (!host) return host.error();
  Workbench bench({});
  Application application(**host, bench, look("inspect"));
  for (int i = 0; i < 5; ++i) application.frame();  // fonts are made on first use

  Json json;
  json["trace_bytes"] = fs::file_size(trace.path());
  const double start = gui::clock_seconds();
  bench.open_trace(trace.path());
  while (!bench.has_run()) application.frame();
  application.frame();
  json["first_picture_seconds"] = gui::clock_seconds() - start;
  while (bench.trace() == nullptr || bench.trace()->state <= live::TraceState::replaying) application.frame();
  application.frame();
  json["whole_picture_seconds"] = gui::clock_seconds() - start;
  if (bench.trace()->state == live::TraceState::failed) return engine::failed("{}", bench.trace()->reason);
  FrameTimes times(application, bench);
  int number = 0;
  for (const char* layout : {"inspect", "tune", "profile", "present"}) {
    progress.show("bench --ui: frames", number++, 4);
    application.set_layout(layout);
    json["layouts"][layout] = times.all();
  }
  progress.show("bench --ui: idle", 0, 1);
  application.set_layout("inspect");
  json["hover_delay"] = measure_hover_delay(application, bench);
  json["idle"] = measure_idle(**host, application);
  json["resident_bytes"] = status_bytes("VmRSS:");
  json["peak_resident_bytes"] = status_bytes("VmHWM:");
  return json;
}

RunOptions decode_run(const UiBenchOptions& options) {
  RunOptions run;
  run.prompt.text = "The sea";
  run.prompt.raw = true;
  run.tokens = options.tokens;
  run.ignore_eos = true;
  return run;
}

// Decodes once, with `between` called over and over meanwhile, and returns tokens per second.
engine::Result<double> decode(Workbench& bench, const UiBenchOptions& options,
                              const std::function<void()>& between) {
  const std::int64_t before = bench.live().run;
  bench.start_run(decode_run(options), {});
  for (;;) {
    between();
    bench.update(0);
    const live::LiveStatus& live = bench.live();
    if (live.error) return *live.error;
    if (live.run > before && live.summary) {
      return static_cast<double>(live.summary->decode_tokens - 1) / live.summary->decode_seconds;
    }
  }
}

// The window on a host of this kind, drawn as its pacing asks or, without OpenGL, ten times a second.
class OpenWindow {
 public:
  OpenWindow(gui::Host& host, Workbench& bench) : host_(host), application_(host, bench, look("inspect")) {
    for (int i = 0; i < 5; ++i) application_.frame();
  }

  // Draws a frame if one is due, else sleeps a little.
  void draw_or_wait(bool paced) {
    const double now = gui::clock_seconds();
    const double due = paced ? host_.pacer().due() : last_ + 1 / kNullFramesPerSecond;
    if (now < due && frames_ > 0) {  // the first frame sees that there is a run to keep up with
      std::this_thread::sleep_for(std::chrono::duration<double>(std::min(due - now, kLongestSleep)));
      return;
    }
    last_ = now;
    application_.frame();
    ++frames_;
  }
  int frames() const { return frames_; }

 private:
  gui::Host& host_;
  Application application_;
  double last_ = gui::clock_seconds();
  int frames_ = 0;
};

engine::Status measure_open_window(gui::HostKind kind, const UiBenchOptions& options, Workbench& bench,
                                   Series& speed, Series& frames) {
  auto host = make_host(kind);
  if (!host) return host.error();
  OpenWindow window(**host, bench);
  const double start = gui::clock_seconds();
  const auto with_window =
      decode(bench, options, [&] { window.draw_or_wait(kind == gui::HostKind::offscreen); });
  if (!with_window) return with_window.error();
  speed.add(*with_window);
  frames.add(window.frames() / (gui::clock_seconds() - start));
  return {};
}

engine::Result<Json> measure_decoding(const UiBenchOptions& options, Progress& progress) {
  Workbench bench({});
  bench.load_model(*options.model);
  const auto headless = [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
  if (auto warm = decode(bench, options, headless); !warm) return warm.error();
  Series plain, null, null_frames, software, software_frames, null_share, software_share;
  for (std::int32_t round = 0; round < options.rounds; ++round) {
    progress.show("bench --ui: decoding", round, options.rounds);
    const auto alone = decode(bench, options, headless);
    if (!alone) return alone.error();
    plain.add(*alone);
    if (auto done = measure_open_window(gui::HostKind::null, options, bench, null, null_frames); !done)
      return done.error();
    if (auto done = measure_open_window(gui::HostKind::offscreen, options, bench, software, software_frames);
        !done)
      return done.error();
    const auto again = decode(bench, options, headless);
    if (!again) return again.error();
    plain.add(*again);
    const double beside = (*alone + *again) / 2;
    null_share.add(null.values().back() / beside);
    software_share.add(software.values().back() / beside);
  }
  return Json{{"headless_tokens_per_second", to_json(plain)},
              {"null_renderer",
               {{"tokens_per_second", to_json(null)},
                {"frames_per_second", to_json(null_frames)},
                {"share_of_headless", to_json(null_share)}}},
              {"software_rendering",
               {{"tokens_per_second", to_json(software)},
                {"frames_per_second", to_json(software_frames)},
                {"share_of_headless", to_json(software_share)}}}};
}

std::string as_text(const Json& json) {
  std::string text;
  const Json& trace = json["trace"];
  text += fmt::format("open       first picture {:.0f} ms, whole trace {:.0f} ms; {:.0f} MB resident\n",
                      trace["first_picture_seconds"].get<double>() * 1e3,
                      trace["whole_picture_seconds"].get<double>() * 1e3,
                      trace["resident_bytes"].get<double>() * 1e-6);
  for (const auto& [layout, times] : trace["layouts"].items()) {
    text += fmt::format("{:<10}", layout);
    for (const auto& [kind, time] : times.items()) {
      text += fmt::format(" {} {:.2f} ms (95 %: {:.2f})", kind, time["median_ms"].get<double>(),
                          time["p95_ms"].get<double>());
    }
    text += "\n";
  }
  text += fmt::format("hover      shown everywhere at most {} frame after the pointer arrived ({} moves)\n",
                      trace["hover_delay"]["slowest_frames"].get<int>(),
                      trace["hover_delay"]["moves"].get<int>());
  text += fmt::format("idle       {:.2f} % of a core, {} frames in {:.0f} s\n",
                      trace["idle"]["cpu_share"].get<double>() * 100, trace["idle"]["frames"].get<int>(),
                      trace["idle"]["seconds"].get<double>());
  if (json["decoding"].is_null()) return text;
  for (const char* kind : {"null_renderer", "software_rendering"}) {
    const Json& window = json["decoding"][kind];
    text += fmt::format("{:<10} {:.1f} % of headless decoding at {:.1f} frames/s\n",
                        kind == std::string("null_renderer") ? "no OpenGL" : "software",
                        window["share_of_headless"]["median"].get<double>() * 100,
                        window["frames_per_second"]["median"].get<double>());
  }
  return text;
}

}  // namespace

engine::Status run_ui_bench(Arguments arguments, Console& console) {
  UiBenchOptions options;
  CLI::App command("What the window costs.", "dmscope bench --ui");
  command.add_flag("--ui", options.ui, "This benchmark");
  command.add_option("--model", options.model, "Also: decoding with the window open")->type_name("DIR");
  add_integer(command, "--rounds", options.rounds, 1, 100,
              "Alternating decode runs of each kind (default 3)");
  add_integer(command, "--tokens", options.tokens, 2, kMaxInt32, "Tokens of each (default 128)");
  command.add_flag("--json", options.json, "A JSON object even on a terminal");
  command.add_flag("--quiet", options.quiet, "No progress");
  const auto parsed = parse_arguments(command, arguments, console);
  if (!parsed) return parsed.error();
  if (*parsed == Parsed::done) return {};
  Progress progress(!options.quiet && console.err_is_terminal());
  Json json{{"width", kWidth}, {"height", kHeight}, {"trace", nullptr}, {"decoding", nullptr}};
  auto trace = measure_trace(progress);
  if (!trace) return trace.error();
  json["trace"] = std::move(*trace);
  if (options.model) {
    auto decoding = measure_decoding(options, progress);
    if (!decoding) return decoding.error();
    json["decoding"] = std::move(*decoding);
  }
  progress.clear();
  console.print(options.json || !console.out_is_terminal() ? json.dump(2) + "\n" : as_text(json));
  return {};
}

}  // namespace app
