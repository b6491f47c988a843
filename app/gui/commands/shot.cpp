#include "app/gui/commands/shot.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "app/gui/shell/application.hpp"
#include "app/gui/workbench/places.hpp"
#include "app/run_setup.hpp"

namespace app {

namespace {

using gui::Application;

constexpr double kLongestWait = 5;  // seconds, for what appears by itself

struct ShotOptions {
  std::optional<std::string> trace, model, layout, panel, theme, size;
  std::optional<double> scale;
  std::optional<std::int32_t> step;
  std::optional<std::vector<std::int32_t>> pin;  // token, or token, layer and KV head
  std::optional<double> preview;                 // threshold
  RunOptions run;
  std::string out;
};

// "1600x900".
engine::Status parse_size(const std::string& text, gui::HostOptions& host) {
  const std::size_t cross = text.find('x');
  const auto width = parse_integer(text.substr(0, cross), 64, gui::Host::kMaxSide);
  const auto height = cross == std::string::npos
                          ? std::nullopt
                          : parse_integer(text.substr(cross + 1), 64, gui::Host::kMaxSide);
  if (!width || !height) {
    return engine::bad_input("--size: expected WIDTHxHEIGHT with 64 to {} pixels each, got '{}'",
                             gui::Host::kMaxSide, text);
  }
  host.width = static_cast<int>(*width);
  host.height = static_cast<int>(*height);
  return {};
}

engine::Status apply_look(const ShotOptions& options, gui::ApplicationOptions& application) {
  gui::Settings& settings = application.settings;
  settings.scale = options.scale.value_or(1);
  if (options.theme) {
    const auto theme = gui::theme_named(*options.theme);
    if (!theme) return engine::bad_input("--theme: expected dark or light, got '{}'", *options.theme);
    settings.theme = *theme;
  }
  if (options.layout) {
    if (*options.layout == "compare") return engine::bad_input("--layout compare: not built in this version");
    if (gui::layout_named(*options.layout, false) == nullptr) {
      return engine::bad_input("--layout: expected inspect, tune, profile or present, got '{}'",
                               *options.layout);
    }
    application.layout = *options.layout;
    application.welcome = false;
  }
  if (options.panel) {
    if (gui::panel_named(*options.panel) == nullptr) {
      std::string names;
      for (const gui::PanelInfo& panel : gui::panel_catalogue())
        names += (names.empty() ? "" : ", ") + panel.name;
      return engine::bad_input("--panel: expected one of {}, got '{}'", names, *options.panel);
    }
    application.single_panel = *options.panel;
  }
  return {};
}

// Until the run is there: all of a trace, or a live run's end.
engine::Status wait_for_run(gui::Workbench& bench) {
  using namespace std::chrono_literals;
  for (;; std::this_thread::sleep_for(1ms)) {
    bench.update(0);
    if (const live::TraceStatus* trace = bench.trace()) {
      if (trace->state == live::TraceState::failed) return engine::bad_input("{}", trace->reason);
      if (trace->state > live::TraceState::replaying) break;
    } else if (bench.live().error) {
      return *bench.live().error;
    } else if (bench.live().summary) {
      break;
    }
  }
  bench.update(0);
  return {};
}

// "505" or "505,15,2", in the order of the text.
std::vector<std::int32_t> parse_pin(const std::string& text) {
  std::vector<std::int32_t> numbers;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const auto number = parse_integer(std::string_view(text).substr(begin, end - begin), 0, kMaxInt32);
    if (!number) break;
    numbers.push_back(static_cast<std::int32_t>(*number));
    if (end == text.size() && (numbers.size() == 1 || numbers.size() == 3)) return numbers;
    begin = end + 1;
  }
  throw CLI::ValidationError(
      "--pin",
      fmt::format("expected a token, or a token, a layer and a KV head: '505,15,2', got '{}'", text));
}

engine::Status pin(const std::vector<std::int32_t>& numbers, gui::Workbench& bench) {
  const view::RunSnapshot& run = bench.run();
  if (numbers[0] >= bench.positions()) {
    return engine::bad_input("--pin: expected a token from 0 to {}, got {}", bench.positions() - 1,
                             numbers[0]);
  }
  view::Selection selection = view::pin_token(bench.selection(), numbers[0]);
  if (numbers.size() == 3) {
    if (numbers[1] >= run.layers() || numbers[2] >= run.kv_heads()) {
      return engine::bad_input(
          "--pin: expected a layer from 0 to {} and a KV head from 0 to {}, got {} and {}", run.layers() - 1,
          run.kv_heads() - 1, numbers[1], numbers[2]);
    }
    selection = view::pin_head(selection, {numbers[1], numbers[2]});
  }
  bench.select(selection);
  return {};
}

engine::Status go_to(std::int32_t position, gui::Workbench& bench) {
  if (position >= bench.positions()) {
    return engine::bad_input("--step: expected a position from 0 to {}, got {}", bench.positions() - 1,
                             position);
  }
  bench.go_to(position);
  return {};
}

engine::Status preview(double threshold, gui::Workbench& bench) {
  const engine::RunStarted& run = bench.run().run();
  if (!run.closed_form || run.policy == "dense") {
    return engine::bad_input("--preview: has no meaning for a run of --policy {}", run.policy);
  }
  bench.set_preview(view::CacheSettings{threshold, run.window});
  return {};
}

engine::Status show_run(const ShotOptions& options, gui::Workbench& bench) {
  if (options.trace) {
    bench.open_trace(*options.trace);
  } else {
    bench.load_model(*options.model);
    bench.start_run(options.run, {});
  }
  if (auto there = wait_for_run(bench); !there) return there;
  if (options.step) {
    if (auto there = go_to(*options.step, bench); !there) return there;
  }
  if (options.pin) {
    if (auto pinned = pin(*options.pin, bench); !pinned) return pinned;
  }
  return options.preview ? preview(*options.preview, bench) : engine::Status();
}

engine::Status take(const ShotOptions& options) {
  gui::HostOptions host_options;
  host_options.kind = gui::HostKind::offscreen;
  if (options.size) {
    if (auto size = parse_size(*options.size, host_options); !size) return size;
  }
  gui::ApplicationOptions application_options;
  application_options.sample_trace = gui::sample_trace_path().string();
  application_options.default_model = gui::default_model_folder().string();
  if (auto look = apply_look(options, application_options); !look) return look;
  gui::Workbench bench({});
  if (options.trace || options.model) {
    if (auto shown = show_run(options, bench); !shown) return shown;
  }
  auto host = gui::Host::create(host_options);
  if (!host) return host.error();
  Application application(**host, bench, std::move(application_options));
  // Docks and tables settle their sizes over the first frames.
  for (int frame = 0; frame < 6; ++frame) application.frame();
  const double give_up = gui::clock_seconds() + kLongestWait;
  while (!application.settled() && gui::clock_seconds() < give_up) application.frame();
  application.notices()
      .dismiss_toasts();  // they would cover what was asked for; the status bar says the same
  application.frame();
  auto picture = (*host)->read_pixels();
  return picture ? gui::write_png(options.out, *picture) : engine::Status(picture.error());
}

engine::Status check(const ShotOptions& options) {
  const bool asks = options.run.prompt.text || options.run.prompt.file;
  if (options.trace && options.model) return engine::bad_input("--model: a trace is given already");
  if (options.model && !asks) return engine::bad_input("--model: needs --prompt or --prompt-file");
  if (asks && !options.model) return engine::bad_input("--prompt: needs --model");
  const char* about_run = options.step      ? "--step"
                          : options.pin     ? "--pin"
                          : options.preview ? "--preview"
                                            : nullptr;
  if (about_run != nullptr && !options.trace && !options.model)
    return engine::bad_input("{}: needs a trace or --model", about_run);
  if (!asks) return {};
  const auto usable = session_options(options.run);
  return usable ? engine::Status() : engine::Status(usable.error());
}

}  // namespace

engine::Status run_shot(Arguments arguments, Console& console) {
  ShotOptions options;
  CLI::App command("What the window would show, as a PNG, without a display.", "dmscope shot");
  command.add_option("TRACE", options.trace, "A trace");
  command.add_option("--model", options.model, "A checkpoint folder: a live run")->type_name("DIR");
  command.add_option("--out", options.out, "The picture")->required()->type_name("X.png");
  command.add_option("--size", options.size, "Pixels (default 1600x900)")->type_name("WxH");
  command.add_option("--layout", options.layout, "inspect, tune, profile or present")->type_name("NAME");
  command.add_option("--panel", options.panel, "One panel alone")->type_name("NAME");
  command.add_option("--theme", options.theme, "dark or light (default dark)")->type_name("NAME");
  add_real(command, "--scale", options.scale, {.low = 0.75, .high = 4, .expected = "a number from 0.75 to 4"},
           "Size of everything (default 1)");
  add_integer(command, "--step", options.step, 0, kMaxInt32, "Position to show (default: the last)");
  command
      .add_option_function<std::string>(
          "--pin", [&options](const std::string& text) { options.pin = parse_pin(text); },
          "A token that is pinned, or with a layer and a KV head")
      ->type_name("N[,L,H]");
  add_real(command, "--preview", options.preview, {},
           "The threshold of a preview, as the Tuning panel shows it");
  add_integer(command, "--tokens", options.run.tokens, 1, kMaxInt32, "Tokens to generate (default 128)");
  add_prompt_options(command, options.run.prompt);
  add_run_options(command, options.run);
  const auto parsed = parse_arguments(command, arguments, console);
  if (!parsed) return parsed.error();
  if (*parsed == Parsed::done) return {};
  if (auto usable = check(options); !usable) return usable;
  return take(options);
}

}  // namespace app
