#include "app/eval/generated_tasks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "app/eval/filler.hpp"

namespace app::eval {

namespace {

constexpr int kKeys = 8;              // facts of a recall question
constexpr int kShownSumsAtLeast = 4;  // below it the format of an arithmetic answer is not clear

// A prompt with a hole: `head`, as many filler sentences as fit with `inserts` among them, `question`.
struct Draft {
  struct Insert {
    std::string text;
    double depth = 0;
  };
  std::string head;
  std::function<std::string(Random&)> filler;
  std::string separator;  // between sentences
  std::vector<Insert> inserts;
  std::string question;
  std::int32_t answer_tokens = 24;
};

std::string assemble(const Draft& draft, const std::vector<std::string>& fillers, std::size_t count) {
  std::string text = draft.head;
  std::size_t insert = 0;
  for (std::size_t i = 0; i <= count; ++i) {
    while (insert < draft.inserts.size() &&
           static_cast<double>(i) >= draft.inserts[insert].depth * static_cast<double>(count)) {
      text += draft.inserts[insert++].text + draft.separator;
    }
    if (i < count) text += fillers[i] + draft.separator;
  }
  return text + draft.question;
}

// With as many sentences as the context has room for: twice the number that surely fits, until it does not.
engine::Result<std::string> fill(const Draft& draft, const GeneratedRequest& request, Random& random,
                                 const CountTokens& count) {
  const std::int32_t room = request.context - draft.answer_tokens;
  std::vector<std::string> fillers;
  const auto tokens_with = [&](std::size_t sentences) {
    while (fillers.size() < sentences) fillers.push_back(draft.filler(random));
    return count(assemble(draft, fillers, sentences));
  };
  auto tokens = tokens_with(0);
  if (!tokens) return tokens.error();
  if (*tokens > room) {
    return engine::bad_input("--context {}: a {} question alone takes {} tokens and its answer {}",
                             request.context, request.task, *tokens, draft.answer_tokens);
  }
  std::size_t fits = 0, too_many = 1;
  while (true) {
    tokens = tokens_with(too_many);
    if (!tokens) return tokens.error();
    if (*tokens > room) break;
    fits = too_many;
    too_many *= 2;
  }
  while (too_many - fits > 1) {
    const std::size_t middle = fits + (too_many - fits) / 2;
    tokens = tokens_with(middle);
    if (!tokens) return tokens.error();
    (*tokens > room ? too_many : fits) = middle;
  }
  return assemble(draft, fillers, fits);
}

constexpr std::array<std::string_view, 24> kCities{
    "Lisbon",   "Oslo",    "Quito",   "Hanoi",  "Prague",   "Nairobi",  "Kyoto",  "Dublin",
    "Santiago", "Warsaw",  "Tunis",   "Havana", "Lima",     "Helsinki", "Manila", "Vienna",
    "Bogota",   "Seville", "Toronto", "Accra",  "Belgrade", "Doha",     "Geneva", "Jakarta"};

std::string fact(std::string_view city, const std::string& number) {
  return fmt::format("The secret number of {} is {}.", city, number);
}

// The van der Corput sequence: evenly spread however many samples there will be.
double depth_of(const GeneratedRequest& request) {
  double depth = 0, half = 0.5;
  for (std::int32_t rest = request.sample + 1; rest > 0; rest /= 2, half /= 2) depth += half * (rest % 2);
  return depth;
}

Draft passkey(const GeneratedRequest& request, Random& random, Question& question) {
  const std::string key = random.number(5);
  question.expected = {AnswerKind::digits, {key}};
  question.depth = depth_of(request);
  Draft draft;
  draft.head = "A pass key is hidden in the following text. Find it and remember it.\n\n";
  draft.filler = [](Random&) {
    return std::string(
        "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.");
  };
  draft.separator = " ";
  draft.inserts = {
      {fmt::format("The pass key is {0}. Remember it. {0} is the pass key.", key), *question.depth}};
  draft.question = "\n\nWhat is the pass key?";
  return draft;
}

Draft needle(const GeneratedRequest& request, Random& random, Question& question) {
  const std::string_view city = kCities[random.below(kCities.size())];
  const std::string number = random.number(5);
  question.expected = {AnswerKind::digits, {number}};
  question.depth = depth_of(request);
  Draft draft;
  draft.head = "Read the following text.\n\n";
  draft.filler = prose_sentence;
  draft.separator = " ";
  draft.inserts = {{fact(city, number), *question.depth}};
  draft.question = fmt::format("\n\nWhat is the secret number of {}?", city);
  return draft;
}

Draft recall(const GeneratedRequest& request, Random& random, Question& question) {
  std::array<std::size_t, kCities.size()> order{};
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t other = random.below(i + 1);
    order[i] = order[other];
    order[other] = i;
  }
  Draft draft;
  draft.head = "Read the following text.\n\n";
  draft.filler = prose_sentence;
  draft.separator = " ";
  const auto asked = static_cast<std::size_t>(depth_of(request) * kKeys);
  for (std::size_t key = 0; key < kKeys; ++key) {
    const std::string number = random.number(5);
    const double depth = (static_cast<double>(key) + 0.5) / kKeys;
    draft.inserts.push_back({fact(kCities[order[key]], number), depth});
    if (key != asked) continue;
    question.expected = {AnswerKind::digits, {number}};
    question.depth = depth;
  }
  draft.question = fmt::format("\n\nWhat is the secret number of {}?", kCities[order[asked]]);
  return draft;
}

std::string solved_sum(Random& random) {
  const std::size_t a = 2 + random.below(48), b = 2 + random.below(48);
  return fmt::format("{} + {} = {}", a, b, a + b);
}

Draft arithmetic(const GeneratedRequest&, Random& random, Question& question) {
  const std::size_t a = 2 + random.below(48), b = 2 + random.below(48);
  question.expected = {AnswerKind::digits, {std::to_string(a + b)}};
  Draft draft;
  draft.head = "Here are some sums.\n\n";
  draft.filler = solved_sum;
  draft.separator = "\n";
  for (int i = 0; i < kShownSumsAtLeast; ++i) draft.inserts.push_back({solved_sum(random), 0});
  draft.question = fmt::format("\nWhat is {} + {}? Answer with the number alone.", a, b);
  draft.answer_tokens = 16;
  return draft;
}

struct Task {
  std::string name;
  Draft (*draft)(const GeneratedRequest&, Random&, Question&);
};

const std::vector<Task>& tasks() {
  static const std::vector<Task> all{
      {"passkey", passkey}, {"needle", needle}, {"recall", recall}, {"arithmetic", arithmetic}};
  return all;
}

// Another stream of numbers for every question.
std::uint64_t seed_of(const GeneratedRequest& request) {
  Random random(request.seed);
  std::uint64_t seed = random.next();
  for (const char character : request.task)
    seed = seed * 1099511628211U + static_cast<unsigned char>(character);
  seed = seed * 1099511628211U + static_cast<std::uint64_t>(request.context);
  return seed * 1099511628211U + static_cast<std::uint64_t>(request.sample);
}

}  // namespace

const std::vector<std::string>& generated_tasks() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Task& task : tasks()) all.push_back(task.name);
    return all;
  }();
  return names;
}

bool is_generated_task(std::string_view name) {
  const auto& names = generated_tasks();
  return std::find(names.begin(), names.end(), name) != names.end();
}

engine::Result<Question> generate(const GeneratedRequest& request, const CountTokens& count) {
  const auto named = [&](const Task& task) { return task.name == request.task; };
  const Task& task = *std::find_if(tasks().begin(), tasks().end(), named);
  Random random(seed_of(request));
  Question question;
  question.task = request.task;
  question.context = request.context;
  question.sample = request.sample;
  const Draft draft = task.draft(request, random, question);
  question.max_tokens = draft.answer_tokens;
  auto prompt = fill(draft, request, random, count);
  if (!prompt) return prompt.error();
  question.prompt = std::move(*prompt);
  return question;
}

}  // namespace app::eval
