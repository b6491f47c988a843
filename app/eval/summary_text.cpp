// A summary as CSV, as JSON and as a table.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "app/eval/summary.hpp"

namespace app::eval {

namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json answers_json(const AnswerSummary& answers) {
  Json depths = Json::array();
  for (const DepthShare& depth : answers.by_depth) {
    depths.push_back(
        {{"from", depth.from}, {"to", depth.to}, {"samples", depth.samples}, {"accuracy", depth.accuracy}});
  }
  return {{"accuracy", answers.accuracy.value},     {"accuracy_low", answers.accuracy.low},
          {"accuracy_high", answers.accuracy.high}, {"chain_accuracy", answers.chain_accuracy},
          {"any_chain", answers.any_chain},         {"paired_with_dense", answers.paired},
          {"better_than_dense", answers.better},    {"worse_than_dense", answers.worse},
          {"answer_tokens", answers.answer_tokens}, {"by_depth", std::move(depths)}};
}

Json text_json(const TextSummary& text) {
  Json json{{"perplexity", number(text.perplexity)}, {"kl", text.kl}, {"top1", text.top1}};
  if (text.dense_perplexity) json["perplexity_over_dense"] = number(text.perplexity / *text.dense_perplexity);
  return json;
}

Json row_json(const SummaryRow& row) {
  Json json{{"task", row.task},
            {"context", row.context},
            {"setting", row.setting},
            {"policy", row.policy},
            {"window", row.window},
            {"threshold", number(row.threshold)},
            {"target_cr", row.target_cr > 0 ? Json(row.target_cr) : Json(nullptr)},
            {"samples", row.samples},
            {"prompt_tokens", row.prompt_tokens},
            {"ratio", row.ratio},
            {"allocated_ratio", row.allocated_ratio},
            {"kv_reads", row.kv_reads},
            {"peak_slots", row.peak_slots},
            {"seconds", row.seconds}};
  if (row.answers) json.update(answers_json(*row.answers));
  if (row.text) json.update(text_json(*row.text));
  return json;
}

constexpr const char* kColumns[] = {"task",
                                    "context",
                                    "setting",
                                    "policy",
                                    "window",
                                    "threshold",
                                    "target_cr",
                                    "samples",
                                    "prompt_tokens",
                                    "ratio",
                                    "allocated_ratio",
                                    "kv_reads",
                                    "peak_slots",
                                    "seconds",
                                    "accuracy",
                                    "accuracy_low",
                                    "accuracy_high",
                                    "chain_accuracy",
                                    "any_chain",
                                    "paired_with_dense",
                                    "better_than_dense",
                                    "worse_than_dense",
                                    "answer_tokens",
                                    "perplexity",
                                    "perplexity_over_dense",
                                    "kl",
                                    "top1"};

std::string csv_field(const Json& value) {
  if (value.is_null()) return {};
  if (!value.is_string()) return value.dump();
  const auto text = value.get<std::string>();
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char character : text) {
    if (character == '"') quoted += '"';
    quoted += character;
  }
  return quoted + "\"";
}

std::string block_title(const SummaryRow& row) {
  return row.context > 0 ? fmt::format("{}, {} tokens", row.task, row.context) : row.task;
}

}  // namespace

std::string to_csv(const std::vector<SummaryRow>& rows) {
  std::string csv;
  for (const char* column : kColumns) csv += (csv.empty() ? "" : ",") + std::string(column);
  csv += '\n';
  for (const SummaryRow& row : rows) {
    const Json json = row_json(row);
    std::string line;
    for (const char* column : kColumns) {
      if (column != kColumns[0]) line += ',';
      if (json.contains(column)) line += csv_field(json.at(column));
    }
    csv += line + '\n';
  }
  return csv;
}

nlohmann::ordered_json to_json(const std::vector<SummaryRow>& rows) {
  Json json = Json::array();
  for (const SummaryRow& row : rows) json.push_back(row_json(row));
  return json;
}

std::string to_table(const std::vector<SummaryRow>& rows) {
  std::string table, title;
  for (const SummaryRow& row : rows) {
    if (block_title(row) != title) {
      title = block_title(row);
      table += fmt::format("{}{}\n", table.empty() ? "" : "\n", title);
      table += row.text ? fmt::format("  {:<28}{:>7}{:>9}{:>12}{:>9}{:>9}{:>9}\n", "setting", "n", "CR",
                                      "perplexity", "change", "KL", "top-1")
                        : fmt::format("  {:<28}{:>7}{:>9}{:>12}{:>16}{:>9}{:>9}\n", "setting", "n", "CR",
                                      "accuracy", "95 %", "better", "worse");
    }
    table += fmt::format("  {:<28}{:>7}{:>8.2f}x", row.setting, row.samples, row.ratio);
    if (row.text) {
      const std::string change =
          row.text->dense_perplexity
              ? fmt::format("{:+.1f} %", 100 * (row.text->perplexity / *row.text->dense_perplexity - 1))
              : "unknown";
      table += fmt::format("{:>12.3f}{:>9}{:>9.3f}{:>7.1f} %\n", row.text->perplexity, change, row.text->kl,
                           100 * row.text->top1);
    }
    if (row.answers) {
      const AnswerSummary& answers = *row.answers;
      table += fmt::format(
          "{:>10.1f} %{:>16}{:>9}{:>9}\n", 100 * answers.accuracy.value,
          fmt::format("{:.0f} to {:.0f} %", 100 * answers.accuracy.low, 100 * answers.accuracy.high),
          answers.better, answers.worse);
    }
  }
  return table;
}

}  // namespace app::eval
