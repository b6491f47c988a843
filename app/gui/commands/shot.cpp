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

engine::Status show_run(const ShotOptions& options, gui::Workbench& bench) {
  if (options.trace) {
    bench.open_trace(*options.trace);
  } else {
    bench.load_model(*options.model);
    bench.start_run(options.run, {});
  }
  if (auto there = wait_for_run(bench); !there) return there;
  if (!options.step) return {};
  if (*options.step >= bench.positions()) {
    return engine::bad_input("--step: expected a position from 0 to {}, got {}", bench.positions() - 1,
                             *options.step);
  }
  bench.go_to(*options.step);
  return {};
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
  if (options.step && !options.trace && !options.model)
    return engine::bad_input("--step: needs a trace or --model");
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
