#include "app/eval/question_file.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>

#include "app/eval/filler.hpp"
#include "app/text_input.hpp"

namespace app::eval {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostChoices = 10;  // A to J

// A record with its keys in lower case; of equal ones the first.
class Record {
 public:
  explicit Record(const Json& object) {
    for (const auto& [key, value] : object.items()) {
      std::string name = key;
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char character) { return static_cast<char>(std::tolower(character)); });
      fields_.emplace(std::move(name), &value);
    }
  }

  const Json* find(const char* name) const {
    const auto field = fields_.find(name);
    return field == fields_.end() || field->second->is_null() ? nullptr : field->second;
  }
  const Json* first(std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      if (const Json* field = find(name)) return field;
    }
    return nullptr;
  }
  std::string text(std::initializer_list<const char*> names) const {
    const Json* field = first(names);
    return field != nullptr && field->is_string() ? field->get<std::string>() : "";
  }

 private:
  std::map<std::string, const Json*> fields_;
};

std::string scalar_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> texts;
  if (!list.is_array()) return {scalar_text(list)};
  for (const Json& item : list) texts.push_back(scalar_text(item));
  return texts;
}

char letter(std::size_t index) {
  return static_cast<char>('A' + index);
}

std::string with_choices(const std::string& question, const std::vector<std::string>& choices) {
  std::string text = question + "\n";
  for (std::size_t i = 0; i < choices.size(); ++i) text += fmt::format("\n{}. {}", letter(i), choices[i]);
  return text + "\n\nAnswer with the letter of the right choice.";
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("-0123456789,.") == std::string::npos &&
         text.find_first_of("0123456789") != std::string::npos;
}

// What is wrong with a record, or nothing. Each reader takes the records of its own form.
using Problem = std::string;

std::optional<Problem> read_choices(const Record& record, Question& question) {
  const std::vector<std::string> choices = texts_of(*record.first({"choices", "options"}));
  if (choices.size() < 2 || choices.size() > kMostChoices) {
    return fmt::format("expected 2 to {} choices, got {}", kMostChoices, choices.size());
  }
  const Json* answer = record.first({"answer", "answer_index"});
  std::size_t index = choices.size();
  if (answer != nullptr && answer->is_number_unsigned()) {
    index = answer->get<std::size_t>();
  } else if (answer != nullptr && answer->is_string() && answer->get<std::string>().size() == 1) {
    index =
        static_cast<std::size_t>(std::toupper(static_cast<unsigned char>(answer->get<std::string>()[0]))) -
        static_cast<std::size_t>('A');
  }
  if (index >= choices.size()) return "\"answer\": expected the index or the letter of one of the choices";
  question.prompt = with_choices(record.text({"question"}), choices);
  question.expected = {AnswerKind::choice, {std::string(1, letter(index))}};
  return std::nullopt;
}

std::optional<Problem> read_gpqa(const Record& record, Random& random, Question& question) {
  std::vector<std::string> choices{record.text({"correct answer"})};
  for (const char* name : {"incorrect answer 1", "incorrect answer 2", "incorrect answer 3"}) {
    choices.push_back(record.text({name}));
    if (choices.back().empty()) return fmt::format("\"{}\": expected a text", name);
  }
  const std::size_t right = random.below(choices.size());
  std::swap(choices[0], choices[right]);
  question.prompt = with_choices(record.text({"question"}), choices);
  question.expected = {AnswerKind::choice, {std::string(1, letter(right))}};
  return std::nullopt;
}

std::optional<Problem> read_retrieval(const Record& record, Question& question) {
  const std::string context = record.text({"context"});
  question.prompt = record.text({"input", "question"});
  if (!context.empty()) question.prompt = context + "\n\n" + question.prompt;
  question.expected = {AnswerKind::phrase, texts_of(*record.first({"outputs", "answers"}))};
  // LongBench lists the ways to say one answer, RULER the parts of one.
  if (record.find("answers") != nullptr && !question.expected.texts.empty())
    question.expected.texts.resize(1);
  if (question.expected.texts.empty()) return "\"outputs\": expected at least one answer";
  return std::nullopt;
}

std::optional<Problem> read_solved(const Record& record, Question& question) {
  const Json* answer = record.first({"answer", "solution"});
  const std::string text = answer == nullptr ? "" : scalar_text(*answer);
  const std::string asked = record.text({"question", "problem"});
  if (text.find("####") != std::string::npos) {
    question.prompt = asked + "\n\nThink step by step. End with the final number after \"####\".";
    question.expected = {AnswerKind::number, {text}};
  } else if (record.find("problem") != nullptr || is_number(text) || text.find('\\') != std::string::npos) {
    question.prompt = asked + "\n\nThink step by step, and put the final answer in \\boxed{}.";
    question.expected = {AnswerKind::math, {text}};
  } else {
    question.prompt = asked;
    question.expected = {AnswerKind::phrase, {text}};
  }
  if (text.empty()) return "\"answer\": expected a text or a number";
  return std::nullopt;
}

std::optional<Problem> read_record(const Record& record, Random& random, Question& question) {
  if (record.first({"question", "problem", "input"}) == nullptr) {
    return "expected a \"question\", a \"problem\" or an \"input\"";
  }
  if (record.first({"choices", "options"}) != nullptr) return read_choices(record, question);
  if (record.find("correct answer") != nullptr) return read_gpqa(record, random, question);
  if (record.first({"outputs", "answers"}) != nullptr) return read_retrieval(record, question);
  return read_solved(record, question);
}

}  // namespace

engine::Result<Question> parse_question(std::string_view line, const std::string& name, std::int32_t sample,
                                        const QuestionFileOptions& options) {
  const Json object = Json::parse(line, nullptr, false);
  if (!object.is_object()) return engine::bad_input("{}: expected a JSON object", name);
  Random random(options.seed * 1000003 + static_cast<std::uint64_t>(sample));
  Question question;
  question.sample = sample;
  question.max_tokens = options.max_tokens;
  if (const auto problem = read_record(Record(object), random, question)) {
    return engine::bad_input("{}: {}", name, *problem);
  }
  if (question.prompt.empty()) return engine::bad_input("{}: expected a question, its text is empty", name);
  return question;
}

engine::Result<std::vector<Question>> read_question_file(const std::filesystem::path& path,
                                                         const QuestionFileOptions& options) {
  const auto text = read_text_file(path);
  if (!text) return text.error();
  if (auto status = check_utf8(*text, path.string()); !status) return status.error();
  std::vector<Question> questions;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text->size();) {
    const std::size_t end = std::min(text->find('\n', begin), text->size());
    const std::string_view line = std::string_view(*text).substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (options.limit > 0 && questions.size() == static_cast<std::size_t>(options.limit)) break;
    auto question = parse_question(line, fmt::format("{}: line {}", path.string(), number),
                                   static_cast<std::int32_t>(questions.size()), options);
    if (!question) return question.error();
    question->task = path.stem().string();
    questions.push_back(std::move(*question));
  }
  if (questions.empty()) {
    return engine::bad_input("{}: expected questions, one JSON object a line; it has none", path.string());
  }
  return questions;
}

}  // namespace app::eval
