#include "app/eval/summary.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace app::eval {

namespace {

constexpr int kDepthBins = 5;

using Group = std::vector<const SampleResult*>;
// What identifies a question or a stretch: task, context, sample.
using Asked = std::tuple<std::string, std::int32_t, std::int32_t>;
using DenseResults = std::map<Asked, const SampleResult*>;

Asked asked(const SampleResult& result) {
  return {result.key.task, result.key.context, result.key.sample};
}

const SampleResult* dense_of(const SampleResult& result, const DenseResults& dense) {
  const auto found = dense.find(asked(result));
  return found == dense.end() || found->second->asked != result.asked ? nullptr : found->second;
}

std::vector<DepthShare> by_depth(const Group& group) {
  struct Bin {
    std::int64_t right = 0, samples = 0;
  };
  std::vector<Bin> bins(kDepthBins);
  for (const SampleResult* result : group) {
    if (!result->depth) continue;
    const auto bin = std::clamp(static_cast<int>(*result->depth * kDepthBins), 0, kDepthBins - 1);
    ++bins[static_cast<std::size_t>(bin)].samples;
    bins[static_cast<std::size_t>(bin)].right += result->answer->correct ? 1 : 0;
  }
  std::vector<DepthShare> shares;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    if (bins[i].samples == 0) continue;
    const auto from = static_cast<double>(i) / kDepthBins, to = static_cast<double>(i + 1) / kDepthBins;
    shares.push_back({from, to, bins[i].samples,
                      static_cast<double>(bins[i].right) / static_cast<double>(bins[i].samples)});
  }
  return shares;
}

AnswerSummary summarise_answers(const Group& group, const DenseResults& dense) {
  AnswerSummary summary;
  std::int64_t correct = 0, right = 0, chains = 0, any = 0, tokens = 0;
  for (const SampleResult* result : group) {
    const AnswerScore& answer = *result->answer;
    correct += answer.correct ? 1 : 0;
    right += answer.right;
    chains += answer.chains;
    any += answer.right > 0 ? 1 : 0;
    tokens += answer.tokens;
    const SampleResult* other = dense_of(*result, dense);
    if (other == nullptr || !other->answer) continue;
    ++summary.paired;
    summary.better += answer.correct && !other->answer->correct ? 1 : 0;
    summary.worse += !answer.correct && other->answer->correct ? 1 : 0;
  }
  const auto samples = static_cast<std::int64_t>(group.size());
  summary.accuracy = share_of(correct, samples);
  summary.chain_accuracy = static_cast<double>(right) / static_cast<double>(chains);
  summary.any_chain = static_cast<double>(any) / static_cast<double>(samples);
  summary.answer_tokens = static_cast<double>(tokens) / static_cast<double>(samples);
  summary.by_depth = by_depth(group);
  return summary;
}

TextSummary summarise_text(const Group& group, const DenseResults& dense) {
  TextScore sum;
  double dense_nll = 0;
  bool dense_known = true;
  for (const SampleResult* result : group) {
    sum.predictions += result->text->predictions;
    sum.nll += result->text->nll;
    sum.kl += result->text->kl;
    sum.top1 += result->text->top1;
    const SampleResult* other = dense_of(*result, dense);
    dense_known = dense_known && other != nullptr && other->text;
    if (dense_known) dense_nll += other->text->nll;
  }
  const auto predictions = static_cast<double>(sum.predictions);
  TextSummary summary;
  summary.perplexity = std::exp(sum.nll / predictions);
  if (dense_known) summary.dense_perplexity = std::exp(dense_nll / predictions);
  summary.kl = sum.kl / predictions;
  summary.top1 = static_cast<double>(sum.top1) / predictions;
  return summary;
}

SummaryRow summarise_group(const Group& group, const DenseResults& dense) {
  const SampleResult& first = *group.front();
  SummaryRow row;
  row.task = first.key.task;
  row.context = first.key.context;
  row.setting = first.key.setting;
  row.policy = first.policy;
  row.window = first.window;
  row.target_cr = first.target_cr;
  row.samples = static_cast<std::int64_t>(group.size());
  engine::CacheCost cost;
  for (const SampleResult* result : group) {
    row.threshold += result->threshold;
    row.prompt_tokens += static_cast<double>(result->prompt_tokens);
    row.seconds += result->seconds;
    cost.dense_slots += result->cost.dense_slots;
    cost.live_slots += result->cost.live_slots;
    cost.allocated_slots += result->cost.allocated_slots;
    cost.kv_reads += result->cost.kv_reads;
  }
  const auto samples = static_cast<double>(row.samples);
  row.threshold /= samples;
  row.prompt_tokens /= samples;
  row.seconds /= samples;
  row.ratio = cost.ratio();
  row.allocated_ratio = static_cast<double>(cost.dense_slots) /
                        static_cast<double>(std::max<std::int64_t>(1, cost.allocated_slots));
  row.kv_reads = static_cast<double>(cost.kv_reads) / samples;
  row.peak_slots = static_cast<double>(cost.live_slots) / samples;
  if (first.answer) row.answers = summarise_answers(group, dense);
  if (first.text) row.text = summarise_text(group, dense);
  return row;
}

}  // namespace

Share share_of(std::int64_t right, std::int64_t samples) {
  constexpr double z = 1.959964;  // Wilson 1927, at 95 %
  const auto n = static_cast<double>(samples);
  const double p = static_cast<double>(right) / n;
  const double centre = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {p, std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

std::vector<SummaryRow> summarise(const std::vector<SampleResult>& results) {
  DenseResults dense;
  std::map<std::tuple<std::string, std::int32_t, std::string>, std::size_t> rows;
  std::vector<Group> groups;
  for (const SampleResult& result : results) {
    if (result.policy == "dense") dense.emplace(asked(result), &result);
    const auto [row, is_new] =
        rows.emplace(std::tuple{result.key.task, result.key.context, result.key.setting}, groups.size());
    if (is_new) groups.emplace_back();
    groups[row->second].push_back(&result);
  }
  std::vector<SummaryRow> summary;
  for (const Group& group : groups) summary.push_back(summarise_group(group, dense));
  return summary;
}

}  // namespace app::eval
