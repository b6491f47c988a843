#include "app/commands/record.hpp"

#include <filesystem>
#include <system_error>

#include "app/interrupt.hpp"
#include "app/progress.hpp"
#include "app/recorded_run.hpp"
#include "app/run_report.hpp"
#include "app/run_setup.hpp"

namespace app {

namespace {

namespace fs = std::filesystem;

struct RecordOptions {
  std::string model;
  RunOptions run;
  std::string trace;
  bool overwrite = false;
  std::string on_trace_error = "stop";
  bool quiet = false;
  bool json = false;
};

void add_options(CLI::App& command, RecordOptions& options) {
  command.add_option("--model", options.model, "The checkpoint folder")->required()->type_name("DIR");
  add_prompt_options(command, options.run.prompt);
  add_integer(command, "--tokens", options.run.tokens, 1, kMaxInt32, "Tokens to generate, per chain")
      ->required();
  command.add_option("--trace", options.trace, "The trace to write")->required()->type_name("OUT");
  command.add_flag("--overwrite", options.overwrite, "Replace an existing trace");
  command
      .add_option("--on-trace-error", options.on_trace_error,
                  "When the trace cannot be written on: stop (default), or continue without it")
      ->type_name("stop|continue");
  add_run_options(command, options.run);
  command.add_flag("--quiet", options.quiet, "No text, no progress, no summary");
  command.add_flag("--json", options.json, "A JSON summary on standard output instead of the text");
}

struct Plan {
  LoadedModel loaded;
  RunSetup setup;
};

// What needs no checkpoint is refused before one is opened.
engine::Result<Plan> make_plan(const RecordOptions& options) {
  if (auto session = session_options(options.run); !session) return session.error();
  if (options.on_trace_error != "stop" && options.on_trace_error != "continue") {
    return engine::bad_input("--on-trace-error: expected stop or continue, got '{}'", options.on_trace_error);
  }
  const auto text = read_prompt(options.run.prompt);
  if (!text) return text.error();
  auto loaded = load_for_run(options.model);
  if (!loaded) return loaded.error();
  auto setup = set_up_run(*loaded, *text, options.run);
  if (!setup) return setup.error();
  return Plan{std::move(*loaded), std::move(*setup)};
}

// Shows the run while it goes on: prefill as progress, then chain 0's text as it comes.
class LiveOutput {
 public:
  LiveOutput(Console& console, const RecordOptions& options)
      : console_(console),
        text_(!options.quiet && !options.json),
        progress_(!options.quiet && console.err_is_terminal()) {}

  // False once standard output is gone.
  bool show(const engine::RunProgress& at) {
    const bool streams_here = text_ && console_.out_is_terminal();
    if (at.measuring) {
      progress_.show("measure what profiling costs", at.done, at.total);
      return true;
    }
    if (at.phase == engine::Phase::prefill) {
      const char* stage = at.loading       ? "copy weights to the GPU, MiB"
                          : at.calibrating ? "calibrate"
                                           : "prefill";
      progress_.show(stage, at.done, at.total);
    } else if (streams_here) {
      progress_.clear();
    } else {
      progress_.show("decode", at.done, at.total);
    }
    if (!text_) return true;
    console_.print_generated(at.text);
    return static_cast<bool>(console_.flush());
  }

  void end() { progress_.clear(); }

 private:
  Console& console_;
  bool text_;
  Progress progress_;
};

void print_other_chains(Console& console, const engine::RunSummary& summary) {
  console.out() << '\n';
  for (std::size_t chain = 1; chain < summary.texts.size(); ++chain) {
    console.out() << fmt::format("\n--- chain {} ({})\n", chain, summary.finish_reasons[chain]);
    console.print_generated(summary.texts[chain]);
    console.out() << '\n';
  }
}

std::uintmax_t file_bytes(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(path, error);
  return error ? 0 : bytes;
}

void print_report(const RecordOptions& options, const RunReport& report, Console& console) {
  if (options.json) {
    console.print(report_json(report));
  } else if (!options.quiet) {
    print_other_chains(console, report.summary);
  }
  if (options.quiet) return;
  for (const std::string& notice : report.notices) console.notice(notice);
  if (options.json) return;
  for (const std::string& line : report_lines(report)) console.later(line);
}

// Nothing to offer to who was on the CPU.
bool runs_on_cpu(const RecordOptions& options, const RecordedRun& done) {
  return done.run ? done.run->backend == "cpu" : !options.run.device.device.starts_with("cuda");
}

// The most telling reason first.
engine::Status outcome(const RecordOptions& options, const RecordedRun& done, const InterruptWatch& interrupt,
                       Console& console) {
  const bool stopped = done.session_error && done.session_error->code == engine::ErrorCode::interrupted;
  if (done.session_error && !stopped) {
    if (!runs_on_cpu(options, done)) console.later("The CPU can run it: --device cpu.");
    return *done.session_error;
  }
  if (done.trace_error) return *done.trace_error;
  if (auto written = console.flush(); !written) return written;
  if (!interrupt.interrupted()) return {};
  return engine::Error{engine::ErrorCode::interrupted,
                       fmt::format("interrupted; {} holds everything up to then", options.trace)};
}

engine::Status run_plan(const RecordOptions& options, Plan& plan, Console& console) {
  InterruptWatch interrupt;
  LiveOutput live(console, options);
  engine::RunRequest& request = plan.setup.request;
  request.stop = interrupt.token();
  request.on_progress = [&](const engine::RunProgress& at) {
    if (!live.show(at)) interrupt.request_stop();
  };
  const auto on_trace_error = [&](const engine::Error&) {
    if (options.on_trace_error == "stop") interrupt.request_stop();
  };
  const TraceTarget target{options.trace, options.overwrite};
  const auto done = run_recorded(plan.loaded, plan.setup, target, nullptr, on_trace_error);
  live.end();
  if (!done) return done.error();
  if (done->summary) {
    print_report(options,
                 {.run = done->run.value_or(engine::RunStarted{}),
                  .summary = *done->summary,
                  .trace = options.trace,
                  .trace_bytes = file_bytes(options.trace),
                  .trace_complete = !done->trace_error,
                  .profile_cost_percent = done->profile_cost_percent,
                  .notices = done->notices},
                 console);
  }
  return outcome(options, *done, interrupt, console);
}

}  // namespace

engine::Status run_record(Arguments arguments, Console& console) {
  RecordOptions options;
  CLI::App command("Runs a prompt without a window and keeps every decision in a trace.", "dmscope record");
  add_options(command, options);
  const auto parsed = parse_arguments(command, arguments, console);
  if (!parsed) return parsed.error();
  if (*parsed == Parsed::done) return {};

  auto plan = make_plan(options);
  if (!plan) return plan.error();
  return run_plan(options, *plan, console);
}

}  // namespace app
