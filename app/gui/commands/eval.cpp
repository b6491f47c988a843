#include "app/gui/commands/eval.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/eval/evaluation.hpp"
#include "app/eval/generated_tasks.hpp"
#include "app/eval/question_file.hpp"
#include "app/eval/summary.hpp"
#include "app/eval/weights_mark.hpp"
#include "app/gui/commands/eval_plot.hpp"
#include "app/interrupt.hpp"
#include "app/output_file.hpp"
#include "app/progress.hpp"
#include "app/text_input.hpp"

namespace app {

namespace {

namespace fs = std::filesystem;

struct EvalOptions {
  std::string model;
  std::optional<std::vector<std::string>> tasks;
  std::vector<std::string> texts, question_files;
  std::vector<std::int32_t> contexts{2048};
  std::int32_t samples = 20;
  std::int32_t limit = 0;
  std::int32_t tokens = 512;
  eval::GridOptions grid;
  std::int32_t chains = 1;
  PromptOptions prompt;
  engine::SamplingOptions sampling;
  DeviceOptions device;
  std::optional<std::string> out, plot;
  bool json = false, quiet = false;
};

void add_options(CLI::App& command, EvalOptions& options) {
  command.add_option("--model", options.model, "The checkpoint folder")->required()->type_name("DIR");
  add_name_list(command, "--tasks", options.tasks,
                "passkey, needle, recall, arithmetic; 'none' for none of them (default: all)");
  command.add_option("--text", options.texts, "Held-out text: perplexity, KL to dense, top-1 agreement")
      ->type_name("FILE");
  command
      .add_option("--questions", options.question_files,
                  "Questions as JSON lines: GSM8K, MATH, AIME, MMLU, GPQA or RULER in their published forms")
      ->type_name("FILE");
  add_integer_list(command, "--contexts", options.contexts, 64, kMaxInt32,
                   "Tokens of the generated tasks and of a stretch of text (default 2048)");
  add_integer(command, "--samples", options.samples, 1, 1'000'000,
              "Samples per task and context (default 20)");
  add_integer(command, "--limit", options.limit, 1, kMaxInt32,
              "Questions to take of each file (default: all)");
  add_integer(command, "--tokens", options.tokens, 1, kMaxInt32,
              "Longest answer to a question of a file (default 512)");
  add_name_list(command, "--policies", options.grid.policies,
                "dense, dms, window, knorm (default: dense, and dms for a DMS checkpoint)");
  add_integer_list(command, "--windows", options.grid.windows, 0, kMaxInt32,
                   "Windows (default: the checkpoint's)");
  RealRange any, ratio;
  any.expected = "finite numbers";
  ratio.low = 1;
  ratio.expected = "finite numbers of at least 1";
  add_real_list(command, "--thresholds", options.grid.thresholds, any, "Thresholds (default: the policy's)");
  add_real_list(command, "--ratios", options.grid.ratios, ratio, "Compression ratios to calibrate for");
  add_integer(command, "--chains", options.chains, 1, 1024,
              "Answers per question; what most of them state counts (default 1)");
  command.add_flag("--raw", options.prompt.raw, "No chat template");
  command.add_option("--system", options.prompt.system, "System text of the chat template")
      ->type_name("TEXT");
  command.add_option("--thinking", options.prompt.thinking, "Qwen3: on or off")->type_name("on|off");
  add_sampling_options(command, options.sampling);
  add_device_options(command, options.device);
  command
      .add_option(
          "--out", options.out,
          "Folder for samples.jsonl, summary.csv and summary.json; an evaluation goes on where it stopped")
      ->type_name("DIR");
  command.add_option("--plot", options.plot, "Draw accuracy and perplexity against the ratio")
      ->type_name("X.png");
  command.add_flag("--json", options.json, "The summary as JSON (default: CSV, on a terminal a table)");
  command.add_flag("--quiet", options.quiet, "No progress");
}

engine::Result<std::vector<std::string>> generated_of(const EvalOptions& options) {
  if (!options.tasks) return eval::generated_tasks();
  if (*options.tasks == std::vector<std::string>{"none"}) return std::vector<std::string>{};
  for (const std::string& task : *options.tasks) {
    if (eval::is_generated_task(task)) continue;
    return engine::bad_input("--tasks: expected passkey, needle, recall, arithmetic or none, got '{}'", task);
  }
  return *options.tasks;
}

engine::Result<engine::SessionOptions> session_of(const EvalOptions& options) {
  RunOptions run;
  run.device = options.device;
  run.sampling = options.sampling;
  run.chains = options.chains;
  auto session = session_options(run);
  if (session) session->backend.spans = false;
  return session;
}

engine::Result<std::string> read_texts(const std::vector<std::string>& paths) {
  std::string all;
  for (const std::string& path : paths) {
    const auto text = read_text_file(path);
    if (!text) return text.error();
    if (auto status = check_utf8(*text, path); !status) return status.error();
    all += (all.empty() ? "" : "\n") + *text;
  }
  return all;
}

// Everything that can be refused, before anything is run.
engine::Result<eval::EvaluationRequest> make_request(const EvalOptions& options) {
  eval::EvaluationRequest request;
  auto generated = generated_of(options);
  if (!generated) return generated.error();
  request.generated = std::move(*generated);
  auto session = session_of(options);
  if (!session) return session.error();
  request.session = *session;
  for (const std::string& path : options.question_files) {
    auto questions = eval::read_question_file(path, {options.limit, options.tokens, options.sampling.seed});
    if (!questions) return questions.error();
    const std::string& task = questions->front().task;
    const bool taken = eval::is_generated_task(task) || task == eval::kTextTask ||
                       std::any_of(request.files.begin(), request.files.end(),
                                   [&](const auto& other) { return other.front().task == task; });
    if (taken) return engine::bad_input("--questions {}: there is a task of the name {} already", path, task);
    request.files.push_back(std::move(*questions));
  }
  auto text = read_texts(options.texts);
  if (!text) return text.error();
  request.text = std::move(*text);
  if (request.generated.empty() && request.files.empty() && request.text.empty()) {
    return engine::bad_input("--tasks none: expected --text or --questions then");
  }
  auto loaded = load_for_run(options.model);
  if (!loaded) return loaded.error();
  request.loaded = std::move(*loaded);
  const std::int32_t positions = request.loaded.model->config.max_positions;
  for (const std::int32_t context : options.contexts) {
    if (context <= positions) continue;
    return engine::bad_input("--contexts {}: {} has {} positions (max_position_embeddings)", context,
                             request.loaded.model->name, positions);
  }
  auto settings = eval::settings_grid(options.grid, *request.loaded.model);
  if (!settings) return settings.error();
  request.settings = std::move(*settings);
  request.contexts = options.contexts;
  request.samples = options.samples;
  request.seed = options.sampling.seed;
  request.prompt = options.prompt;
  return request;
}

// What all results of a journal have in common.
nlohmann::ordered_json identity(const EvalOptions& options, const engine::Model& model) {
  return {{"model", model.name},
          {"weights", eval::weights_mark(model)},
          {"reference", options.device.reference},
          {"chains", options.chains},
          {"temperature", options.sampling.temperature},
          {"top_p", options.sampling.top_p},
          {"top_k", options.sampling.top_k},
          {"seed", options.sampling.seed},
          {"answer_tokens", options.tokens}};
}

engine::Status write_text(const fs::path& path, const std::string& text) {
  auto file = OutputFile::create(path);
  if (!file) return file.error();
  if (auto status = file->write(std::as_bytes(std::span(text))); !status) return status;
  return file->commit();
}

engine::Status write_summary(const EvalOptions& options, const eval::EvaluationRequest& request,
                             const std::vector<eval::SummaryRow>& rows, Console& console) {
  nlohmann::ordered_json json = identity(options, *request.loaded.model);
  json["rows"] = eval::to_json(rows);
  if (options.out) {
    const fs::path folder = *options.out;
    if (auto status = write_text(folder / "summary.csv", eval::to_csv(rows)); !status) return status;
    if (auto status = write_text(folder / "summary.json", json.dump(2) + "\n"); !status) return status;
  }
  console.print(options.json                ? json.dump(2)
                : console.out_is_terminal() ? eval::to_table(rows)
                                            : eval::to_csv(rows));
  if (!options.plot) return {};
  return gui::draw_evaluation(rows, request.loaded.model->name, *options.plot);
}

engine::Status evaluate(const EvalOptions& options, Console& console) {
  // No OpenGL is found out before hours of work.
  if (options.plot) {
    if (auto status = gui::check_plot(*options.plot); !status) return status;
  }
  const auto request = make_request(options);
  if (!request) return request.error();
  eval::Journal journal;
  if (options.out) {
    auto opened = eval::Journal::open(*options.out, identity(options, *request->loaded.model));
    if (!opened) return opened.error();
    journal = std::move(*opened);
    if (journal.resumed() > 0)
      console.notice(fmt::format("{} results were there already", journal.resumed()));
  }
  InterruptWatch interrupt;
  Progress progress(!options.quiet && console.err_is_terminal());
  const auto on_progress = [&](const eval::EvaluationProgress& at) {
    progress.show(at.task, at.done, at.total);
  };
  const auto results = eval::run_evaluation(*request, journal, on_progress, interrupt.token());
  progress.clear();
  if (results) return write_summary(options, *request, eval::summarise(*results), console);
  if (results.error().code != engine::ErrorCode::interrupted || !options.out) return results.error();
  return engine::Error{engine::ErrorCode::interrupted,
                       fmt::format("interrupted; the same command goes on from what {} holds", *options.out)};
}

}  // namespace

engine::Status run_eval(Arguments arguments, Console& console) {
  EvalOptions options;
  CLI::App command("Quality against compression: tasks, text and questions under a list of settings.",
                   "dmscope eval");
  add_options(command, options);
  const auto parsed = parse_arguments(command, arguments, console);
  if (!parsed) return parsed.error();
  if (*parsed == Parsed::done) return {};
  return evaluate(options, console);
}

}  // namespace app
