#include "app/gui/commands/window.hpp"

#include <optional>
#include <stop_token>
#include <string>

#include "app/gui/shell/application.hpp"
#include "app/gui/workbench/places.hpp"
#include "app/interrupt.hpp"
#include "app/run_setup.hpp"
#include "engine/checkpoint/model.hpp"
#include "profiling/trace_reader.hpp"

namespace app {

namespace {

struct Opening {
  std::optional<std::string> model;
  std::optional<RunOptions> run;
  std::optional<std::string> trace;
  std::optional<std::int32_t> step;
  std::optional<std::string> device;   // instead of the settings'
  std::optional<std::string> profile;  // the same
};

// Where the settings, or options in their place, send runs. --reference and --no-graph have their own device.
RunOptions with_preferences(RunOptions run, const gui::RunPreferences& preferences) {
  if (run.device.reference || run.device.no_graph) return run;
  const bool measure_cost = run.measure_cost;
  gui::apply(preferences, run);
  run.measure_cost = measure_cost || run.measure_cost;
  return run;
}

engine::Status show_window(const Opening& opening) {
  auto host = gui::Host::create({});
  if (!host) return host.error();
  gui::Workbench bench([&host] { (*host)->wake(); });
  gui::ApplicationOptions options;
  options.settings_folder = gui::settings_folder();
  options.default_model = gui::default_model_folder().string();
  options.sample_trace = gui::sample_trace_path().string();
  options.start_position = opening.step;
  gui::Application application(**host, bench, std::move(options));
  if (opening.device) bench.preferences().device = *opening.device;
  if (opening.profile) bench.preferences().profile = *opening.profile;
  if (opening.trace) application.open_path(*opening.trace);
  if (opening.model) application.open_path(*opening.model);
  if (opening.run) {
    bench.start_run(with_preferences(*opening.run, bench.preferences()), gui::traces_folder());
    application.commands().run("view.panel.text");  // the answer, not the form that a model alone opens
  }
  // Ctrl-C and SIGTERM close the window like its own button: settings are kept, a recording is completed.
  const InterruptWatch interrupt;
  const std::stop_callback wakes(interrupt.token(), [&host] { (*host)->wake(); });
  while ((*host)->wait_for_frame() && !interrupt.interrupted()) application.frame();
  return application.save();
}

}  // namespace

engine::Status run_window(Arguments arguments, Console& console) {
  Opening opening;
  RunOptions run;
  run.tokens = 256;
  CLI::App command("The window, with a live run.", "dmscope");
  command.add_option("--model", opening.model, "A checkpoint folder")->type_name("DIR");
  add_integer(command, "--tokens", run.tokens, 1, kMaxInt32, "Tokens to generate, per chain (default 256)");
  add_prompt_options(command, run.prompt);
  add_run_options(command, run);
  const auto parsed = parse_arguments(command, arguments, console);
  if (!parsed) return parsed.error();
  if (*parsed == Parsed::done) return {};
  const bool asks = run.prompt.text || run.prompt.file;
  opening.profile = run.profile;
  if (command.count("--device") > 0) opening.device = run.device.device;
  if (run.measure_cost && !asks) return engine::bad_input("--measure-cost: needs a prompt to run");
  if (asks && !opening.model) {
    const std::string folder = gui::default_model_folder().string();
    if (folder.empty()) return engine::bad_input("--prompt: needs --model, the default model is not set up");
    opening.model = folder;
  }
  if (auto usable = session_options(run); !usable) return usable.error();
  if (asks) opening.run = run;
  // What cannot be loaded is refused before a window opens.
  if (opening.model) {
    if (auto model = engine::load_model(*opening.model); !model) return model.error();
  }
  return show_window(opening);
}

engine::Status run_replay(Arguments arguments, Console& console) {
  Opening opening;
  std::string trace;
  CLI::App command("The window, on a saved trace or on one that is still being recorded.", "dmscope replay");
  command.add_option("TRACE", trace, "A trace")->required();
  add_integer(command, "--step", opening.step, 0, kMaxInt32, "Position to show (default: the newest)");
  const auto parsed = parse_arguments(command, arguments, console);
  if (!parsed) return parsed.error();
  if (*parsed == Parsed::done) return {};
  // A trace that cannot be read is refused before a window opens.
  if (auto reader = profiling::TraceReader::open(trace); !reader) return reader.error();
  opening.trace = trace;
  return show_window(opening);
}

}  // namespace app
