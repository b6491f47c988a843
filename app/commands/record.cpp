#include "app/commands/record.hpp"

#include <filesystem>
#include <optional>
#include <system_error>

#include "app/interrupt.hpp"
#include "app/options.hpp"
#include "app/progress.hpp"
#include "app/prompt.hpp"
#include "app/recording.hpp"
#include "app/run_report.hpp"
#include "engine/session/session.hpp"
#include "profiling/trace_writer.hpp"

namespace app {

namespace {

namespace fs = std::filesystem;

struct RecordOptions {
  std::string model;
  PromptOptions prompt;
  std::int32_t tokens = 0;
  std::string trace;
  bool overwrite = false;
  std::string on_trace_error = "stop";
  DeviceOptions device;
  PolicyArguments policy;
  engine::SamplingOptions sampling;
  std::int32_t chains = 1;
  bool ignore_eos = false;
  bool quiet = false;
  bool json = false;
};

void add_options(CLI::App& command, RecordOptions& options) {
  command.add_option("--model", options.model, "The checkpoint folder")->required()->type_name("DIR");
  add_prompt_options(command, options.prompt);
  add_integer(command, "--tokens", options.tokens, 1, kMaxInt32, "Tokens to generate, per chain")->required();
  command.add_option("--trace", options.trace, "The trace to write")->required()->type_name("OUT");
  command.add_flag("--overwrite", options.overwrite, "Replace an existing trace");
  command
      .add_option("--on-trace-error", options.on_trace_error,
                  "When the trace cannot be written on: stop (default), or continue without it")
      ->type_name("stop|continue");
  add_policy_options(command, options.policy);
  add_integer(command, "--chains", options.chains, 1, 1024,
              "Continuations of the prompt, as one batch (default 1)");
  command.add_flag("--ignore-eos", options.ignore_eos, "Go on after the end of the text");
  add_sampling_options(command, options.sampling);
  add_device_options(command, options.device);
  command.add_flag("--quiet", options.quiet, "No text, no progress, no summary");
  command.add_flag("--json", options.json, "A JSON summary on standard output instead of the text");
}

// Everything that is needed to start, checked.
struct Plan {
  std::shared_ptr<const engine::Model> model;
  std::shared_ptr<const engine::Tokenizer> tokenizer;
  engine::SessionOptions session;
  engine::RunRequest request;
  std::vector<std::string> notices;
};

engine::Result<engine::SessionOptions> session_options(const RecordOptions& options) {
  engine::SessionOptions session;
  auto backend = to_backend_options(options.device);
  if (!backend) return backend.error();
  session.backend = *backend;
  auto policy = to_policy_options(options.policy);
  if (!policy) return policy.error();
  session.policy = *policy;
  session.sampling = options.sampling;
  session.chains = options.chains;
  session.max_tokens = options.tokens;
  session.ignore_eos = options.ignore_eos;
  if (options.on_trace_error != "stop" && options.on_trace_error != "continue") {
    return engine::bad_input("--on-trace-error: expected stop or continue, got '{}'", options.on_trace_error);
  }
  return session;
}

engine::Status check_context(std::size_t prompt_tokens, std::int32_t tokens, std::int32_t max_positions) {
  if (prompt_tokens + static_cast<std::size_t>(tokens) <= static_cast<std::size_t>(max_positions)) return {};
  return engine::bad_input("--tokens: the prompt's {} tokens and {} more exceed max_position_embeddings {}",
                           prompt_tokens, tokens, max_positions);
}

engine::Result<Plan> make_plan(const RecordOptions& options) {
  Plan plan;
  auto session = session_options(options);
  if (!session) return session.error();
  plan.session = *session;
  const auto text = read_prompt(options.prompt);
  if (!text) return text.error();
  auto model = engine::load_model(options.model);
  if (!model) return model.error();
  plan.model = *model;
  if (auto policy = engine::resolve_policy(plan.session.policy, *plan.model); !policy) return policy.error();
  auto tokenizer = engine::Tokenizer::load(options.model);
  if (!tokenizer) return tokenizer.error();
  plan.tokenizer = *tokenizer;
  auto prompt = encode_prompt(*text, options.prompt, *plan.tokenizer, *plan.model);
  if (!prompt) return prompt.error();
  if (auto status = check_context(prompt->ids.size(), options.tokens, plan.model->config.max_positions);
      !status) {
    return status.error();
  }
  plan.request.prompt = std::move(prompt->ids);
  plan.request.prompt_text = text->text;
  for (const std::string& notice : {prompt->notice, device_notice(options.device)}) {
    if (!notice.empty()) plan.notices.push_back(notice);
  }
  if (options.chains > 1 && options.sampling.temperature == 0) {
    plan.notices.push_back("--chains: all chains are equal at temperature 0");
  }
  return plan;
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
    if (at.phase == engine::Phase::prefill) {
      progress_.show("prefill", at.done, at.total);
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

// The most telling reason first. `session_error` is null where the session ended well.
engine::Status outcome(const RecordOptions& options, const engine::Error* session_error,
                       const std::optional<engine::Error>& trace_error, const InterruptWatch& interrupt,
                       Console& console) {
  const bool stopped = session_error != nullptr && session_error->code == engine::ErrorCode::interrupted;
  if (session_error != nullptr && !stopped) return *session_error;
  if (trace_error) return *trace_error;
  if (auto written = console.flush(); !written) return written;
  if (!interrupt.interrupted()) return {};
  return engine::Error{engine::ErrorCode::interrupted,
                       fmt::format("interrupted; {} holds everything up to then", options.trace)};
}

engine::Status run_plan(const RecordOptions& options, Plan& plan, Console& console) {
  InterruptWatch interrupt;
  std::error_code ignored;
  const bool existed = fs::exists(options.trace, ignored);
  auto trace = profiling::TraceWriter::create(options.trace, {.overwrite = options.overwrite});
  if (!trace) return trace.error();
  Recording recording(**trace, plan.notices, [&](const engine::Error&) {
    if (options.on_trace_error == "stop") interrupt.request_stop();
  });

  LiveOutput live(console, options);
  plan.request.stop = interrupt.token();
  plan.request.on_progress = [&](const engine::RunProgress& at) {
    if (!live.show(at)) interrupt.request_stop();
  };
  const auto summary = engine::run_session(plan.model, plan.tokenizer, plan.session, plan.request, recording);
  live.end();
  const engine::Status finished = (*trace)->finish();
  if (!recording.run() && !existed) fs::remove(options.trace, ignored);  // nothing happened: leave nothing

  const auto trace_error = finished ? recording.trace_error() : std::optional(finished.error());
  if (summary) {
    print_report(options,
                 {.run = recording.run().value_or(engine::RunStarted{}),
                  .summary = *summary,
                  .trace = options.trace,
                  .trace_bytes = file_bytes(options.trace),
                  .trace_complete = !trace_error,
                  .notices = recording.notices()},
                 console);
  }
  return outcome(options, summary ? nullptr : &summary.error(), trace_error, interrupt, console);
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
