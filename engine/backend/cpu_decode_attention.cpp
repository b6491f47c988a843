#include "engine/backend/cpu_decode_attention.hpp"

#include <algorithm>
#include <cmath>

#include "engine/backend/share_units.hpp"

namespace engine {

namespace {

// A task below this many slots costs more to hand out than to do.
constexpr std::int64_t kSmallestTask = 128;
constexpr std::int64_t kTasksPerThread = 4;

}  // namespace

DecodeAttention::DecodeAttention(int group, const SlotLayout& layout, const kernels::CpuOps& ops,
                                 kernels::ThreadPool& pool)
    : group_(group), layout_(layout), ops_(ops), pool_(pool) {}

void DecodeAttention::add(const HeadCache& cache, const float* q, float* out,
                          std::span<const SlotRange> slots, float* scores) {
  Read read{&cache, q, out, scores, ranges_.size(), 0};
  if (slots.empty()) {
    ranges_.push_back({0, cache.live()});
  } else {
    ranges_.insert(ranges_.end(), slots.begin(), slots.end());
  }
  read.range_count = ranges_.size() - read.first_range;
  for (std::size_t i = read.first_range; i < ranges_.size(); ++i) slots_ += ranges_[i].end - ranges_[i].begin;
  reads_.push_back(read);
}

std::int64_t DecodeAttention::run() {
  split_into_tasks();
  const std::size_t stride =
      static_cast<std::size_t>(group_) * static_cast<std::size_t>(layout_.head_dim + 2);
  if (partials_.size() < tasks_.size() * stride) partials_.resize(tasks_.size() * stride);
  if (slots_ * static_cast<std::int64_t>(pool_.size()) <= kSmallestTask) {
    for (std::size_t i = 0; i < tasks_.size(); ++i) attend(i);
  } else {
    share_units(pool_, static_cast<std::int64_t>(tasks_.size()),
                [this](std::int64_t task, int) { attend(static_cast<std::size_t>(task)); });
  }
  for (const Read& read : reads_) combine(read);
  const std::int64_t slots = slots_;
  reads_.clear();
  ranges_.clear();
  tasks_.clear();
  slots_ = 0;
  return slots;
}

void DecodeAttention::split_into_tasks() {
  const std::int64_t wanted = slots_ / (pool_.size() * kTasksPerThread);
  const std::int64_t pages = std::max(wanted, kSmallestTask) / kernels::kPageSlots;
  const auto grain = static_cast<std::int32_t>(pages * kernels::kPageSlots);
  for (Read& read : reads_) {
    read.first_task = tasks_.size();
    for (std::size_t i = read.first_range; i < read.first_range + read.range_count; ++i) {
      for (std::int32_t begin = ranges_[i].begin; begin < ranges_[i].end; begin += grain) {
        tasks_.push_back({&read, {begin, std::min(begin + grain, ranges_[i].end)}});
      }
    }
    read.task_count = tasks_.size() - read.first_task;
  }
}

kernels::SoftmaxState DecodeAttention::partial(std::size_t task) {
  const auto group = static_cast<std::size_t>(group_);
  float* base = partials_.data() + task * group * static_cast<std::size_t>(layout_.head_dim + 2);
  return {base, base + group, base + 2 * group};
}

void DecodeAttention::attend(std::size_t index) {
  const Task& task = tasks_[index];
  kernels::AttendSlotsArgs args;
  args.q = task.read->q;
  args.group = group_;
  args.head_dim = layout_.head_dim;
  args.scale = 1.0f / std::sqrt(static_cast<float>(layout_.head_dim));
  args.pages = task.read->cache->pages();
  args.kv_dtype = layout_.dtype;
  args.slot_begin = task.slots.begin;
  args.slot_end = task.slots.end;
  args.state = partial(index);
  if (task.read->scores != nullptr) {
    args.scores = task.read->scores + task.slots.begin;
    args.scores_stride = task.read->cache->live();
  }
  ops_.attend_slots(args);
}

void DecodeAttention::combine(const Read& read) {
  const kernels::SoftmaxState total = partial(read.first_task);
  for (std::size_t i = 1; i < read.task_count; ++i) {
    kernels::merge_softmax(total, partial(read.first_task + i), group_, layout_.head_dim);
  }
  for (int g = 0; g < group_; ++g) {
    const float inverse = 1.0f / total.sum[g];
    for (int d = 0; d < layout_.head_dim; ++d) {
      read.out[g * layout_.head_dim + d] = total.acc[g * layout_.head_dim + d] * inverse;
    }
  }
}

}  // namespace engine
