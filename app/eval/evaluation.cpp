#include "app/eval/evaluation.hpp"

#include <algorithm>
#include <utility>

#include "app/eval/generated_tasks.hpp"
#include "engine/quality/text_quality.hpp"
#include "engine/session/session.hpp"

namespace app::eval {

namespace {

struct NoEvents final : engine::EventSink {
  void on_event(engine::Event event) override {
    if (const auto* started = std::get_if<engine::RunStarted>(&event)) run = *started;
  }
  engine::RunStarted run;
};

std::uint64_t hash_of(std::span<const engine::TokenId> ids) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const engine::TokenId id : ids) {
    hash = (hash ^ static_cast<std::uint32_t>(id)) * 1099511628211U;
  }
  return hash;
}

class Evaluation {
 public:
  Evaluation(const EvaluationRequest& request, Journal& journal,
             const std::function<void(const EvaluationProgress&)>& on_progress, std::stop_token stop)
      : request_(request), journal_(journal), on_progress_(on_progress), stop_(std::move(stop)) {}

  engine::Result<std::vector<SampleResult>> run();

 private:
  engine::Status check_questions() const;
  engine::Status cut_text();
  void count_samples();
  engine::Status run_text();
  engine::Status run_stretch(std::int32_t context, std::int32_t sample);
  engine::Status run_generated();
  engine::Status run_question(const Question& question);
  engine::Result<SampleResult> ask(const Question& question, const Prompt& prompt, const Setting& setting,
                                   SampleKey key);
  engine::Result<Prompt> encode(const std::string& text) const;
  engine::Status keep(SampleResult result);
  bool known(const SampleKey& key, std::uint64_t asked);
  void report(const std::string& task, std::int32_t context);
  // Stretches of `context` tokens that the text has room for, at most as many as samples.
  std::int32_t stretches(std::int32_t context) const;

  const EvaluationRequest& request_;
  Journal& journal_;
  const std::function<void(const EvaluationProgress&)>& on_progress_;
  std::stop_token stop_;
  std::vector<engine::TokenId> text_;
  EvaluationProgress progress_;
  std::vector<SampleResult> results_;
};

engine::Result<std::vector<SampleResult>> Evaluation::run() {
  if (auto status = check_questions(); !status) return status.error();
  if (auto status = cut_text(); !status) return status.error();
  count_samples();
  if (auto status = run_text(); !status) return status.error();
  if (auto status = run_generated(); !status) return status.error();
  for (const auto& questions : request_.files) {
    for (const Question& question : questions) {
      if (auto status = run_question(question); !status) return status.error();
    }
  }
  return std::move(results_);
}

// Before hours of work, not after them.
engine::Status Evaluation::check_questions() const {
  const auto positions = static_cast<std::size_t>(request_.loaded.model->config.max_positions);
  for (const auto& questions : request_.files) {
    for (const Question& question : questions) {
      const auto prompt = encode(question.prompt);
      if (!prompt) return prompt.error();
      if (prompt->ids.size() + static_cast<std::size_t>(question.max_tokens) <= positions) continue;
      return engine::bad_input(
          "{}: question {}: {} tokens and {} of an answer exceed max_position_embeddings {}", question.task,
          question.sample + 1, prompt->ids.size(), question.max_tokens, positions);
    }
  }
  return {};
}

engine::Status Evaluation::cut_text() {
  if (request_.text.empty()) return {};
  auto ids = request_.loaded.tokenizer->encode(request_.text);
  if (!ids) return ids.error();
  text_ = std::move(*ids);
  const std::int32_t shortest = *std::min_element(request_.contexts.begin(), request_.contexts.end());
  if (stretches(shortest) > 0) return {};
  return engine::bad_input("--text: {} tokens, expected at least the {} of a context", text_.size(),
                           shortest);
}

std::int32_t Evaluation::stretches(std::int32_t context) const {
  return std::min(request_.samples, static_cast<std::int32_t>(text_.size()) / context);
}

void Evaluation::count_samples() {
  std::int64_t samples = 0;
  for (const std::int32_t context : request_.contexts) {
    samples += stretches(context);
    samples += static_cast<std::int64_t>(request_.generated.size()) * request_.samples;
  }
  for (const auto& questions : request_.files) samples += static_cast<std::int64_t>(questions.size());
  progress_.total = samples * static_cast<std::int64_t>(request_.settings.size());
}

void Evaluation::report(const std::string& task, std::int32_t context) {
  progress_.task = context > 0 ? fmt::format("{} {}", task, context) : task;
  if (on_progress_) on_progress_(progress_);
}

bool Evaluation::known(const SampleKey& key, std::uint64_t asked) {
  const SampleResult* result = journal_.find(key, asked);
  if (result == nullptr) return false;
  results_.push_back(*result);
  ++progress_.done;
  return true;
}

engine::Status Evaluation::keep(SampleResult result) {
  results_.push_back(result);
  ++progress_.done;
  return journal_.add(std::move(result));
}

// --- held-out text

engine::Status Evaluation::run_text() {
  if (text_.empty()) return {};
  for (const std::int32_t context : request_.contexts) {
    for (std::int32_t sample = 0; sample < stretches(context); ++sample) {
      if (auto status = run_stretch(context, sample); !status) return status;
    }
  }
  return {};
}

// Stretches follow each other from the text's start, so that more samples only add to them. All settings that
// are still to be measured share one dense pass.
engine::Status Evaluation::run_stretch(std::int32_t context, std::int32_t sample) {
  const auto length = static_cast<std::size_t>(context);
  const auto ids = std::span(text_).subspan(static_cast<std::size_t>(sample) * length, length);
  const std::uint64_t asked = hash_of(ids);
  std::vector<const Setting*> settings;
  std::vector<engine::PolicyOptions> policies;
  for (const Setting& setting : request_.settings) {
    if (known({kTextTask, context, sample, setting.name}, asked)) continue;
    settings.push_back(&setting);
    policies.push_back(policy_for(setting, context));
  }
  report(kTextTask, context);
  if (policies.empty()) return {};
  const std::int64_t start = engine::steady_now_ns();
  const auto measured =
      engine::measure_text(request_.loaded.model, ids, policies, request_.session.backend, stop_);
  if (!measured) return measured.error();
  const double seconds = static_cast<double>(engine::steady_now_ns() - start) * 1e-9;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const engine::TextQuality& quality = (*measured)[i];
    SampleResult result;
    result.key = {kTextTask, context, sample, settings[i]->name};
    result.asked = asked;
    result.policy = engine::name_of(quality.policy.kind);
    result.window = quality.policy.window;
    result.threshold = quality.policy.threshold;
    result.target_cr = settings[i]->window_for_ratio.value_or(quality.policy.target_cr);
    result.prompt_tokens = context;
    result.cost = quality.cost;
    result.seconds = seconds / static_cast<double>(settings.size());
    result.text = TextScore{quality.predictions, quality.nll, quality.kl, quality.top1};
    if (auto status = keep(std::move(result)); !status) return status;
  }
  report(kTextTask, context);
  return {};
}

// --- questions

engine::Result<Prompt> Evaluation::encode(const std::string& text) const {
  return encode_prompt({text, "the question"}, request_.prompt, *request_.loaded.tokenizer,
                       *request_.loaded.model);
}

engine::Status Evaluation::run_generated() {
  const CountTokens count = [&](const std::string& text) -> engine::Result<std::int32_t> {
    auto prompt = encode(text);
    if (!prompt) return prompt.error();
    return static_cast<std::int32_t>(prompt->ids.size());
  };
  for (const std::string& task : request_.generated) {
    for (const std::int32_t context : request_.contexts) {
      for (std::int32_t sample = 0; sample < request_.samples; ++sample) {
        const auto question = generate({task, context, sample, request_.seed}, count);
        if (!question) return question.error();
        if (auto status = run_question(*question); !status) return status;
      }
    }
  }
  return {};
}

engine::Status Evaluation::run_question(const Question& question) {
  const auto prompt = encode(question.prompt);
  if (!prompt) return prompt.error();
  const std::uint64_t asked = hash_of(prompt->ids);
  for (const Setting& setting : request_.settings) {
    SampleKey key{question.task, question.context, question.sample, setting.name};
    report(question.task, question.context);
    if (known(key, asked)) continue;
    auto result = ask(question, *prompt, setting, std::move(key));
    if (!result) return result.error();
    result->asked = asked;
    if (auto status = keep(std::move(*result)); !status) return status;
  }
  report(question.task, question.context);
  return {};
}

engine::Result<SampleResult> Evaluation::ask(const Question& question, const Prompt& prompt,
                                             const Setting& setting, SampleKey key) {
  engine::SessionOptions session = request_.session;
  const auto tokens = static_cast<std::int32_t>(prompt.ids.size());
  session.max_tokens = question.max_tokens;
  session.policy = policy_for(setting, tokens);
  engine::RunRequest run;
  run.prompt = prompt.ids;
  run.stop = stop_;
  NoEvents events;
  const std::int64_t start = engine::steady_now_ns();
  const auto summary =
      engine::run_session(request_.loaded.model, request_.loaded.tokenizer, session, run, events);
  if (!summary) return summary.error();
  if (stop_.stop_requested()) return engine::Error{engine::ErrorCode::interrupted, "interrupted"};

  SampleResult result;
  result.key = std::move(key);
  result.policy = events.run.policy;
  result.window = events.run.window;
  result.threshold = events.run.threshold;
  result.target_cr = setting.window_for_ratio.value_or(events.run.target_cr);
  result.depth = question.depth;
  result.prompt_tokens = tokens;
  result.cost = {summary->dense_slots, summary->live_slots, summary->allocated_slots, summary->kv_reads};
  result.seconds = static_cast<double>(engine::steady_now_ns() - start) * 1e-9;
  AnswerScore answer;
  answer.correct = majority_is_correct(question.expected, summary->texts);
  answer.chains = static_cast<std::int32_t>(summary->texts.size());
  answer.right = static_cast<std::int32_t>(
      std::count_if(summary->texts.begin(), summary->texts.end(),
                    [&](const std::string& text) { return is_correct(question.expected, text); }));
  answer.tokens = summary->decode_tokens;
  answer.text = summary->texts.front();
  result.answer = std::move(answer);
  return result;
}

}  // namespace

engine::Result<std::vector<SampleResult>> run_evaluation(
    const EvaluationRequest& request, Journal& journal,
    const std::function<void(const EvaluationProgress&)>& on_progress, std::stop_token stop) {
  return Evaluation(request, journal, on_progress, std::move(stop)).run();
}

}  // namespace app::eval
