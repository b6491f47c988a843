// Decode attention: a group of query heads over the pages of their KV head. Limited by reading keys and
// values, so each is loaded once for kSlotHeads heads, and the next page is prefetched. Included after a
// vector_*.hpp.
#pragma once

#include "kernels/cpu/simd/dot.hpp"
#include "kernels/cpu/simd/exponential.hpp"

namespace kernels::simd {
namespace {

constexpr Index kValueVectors = 4;  // vectors of an output that stay in registers over the slots of a page
constexpr float kLowest = -3.4028234663852886e38f;

// Slots of one page.
template <DType kType>
struct PageSlots {
  const char* keys;    // row of the first slot
  const char* values;  // row of the first slot
  Index count;
  Index row_bytes;
  Index ahead;  // distance in bytes to the same rows of the next page; 0 if there is none
};

inline void prefetch(const char* p, Index bytes) {
  for (Index i = 0; i < bytes; i += 64) __builtin_prefetch(p + i, 0, 2);
}

// scores[h * kPageSlots + s] = q[h] . key[s] * scale, four slots at a time.
template <DType kType, int kHeads>
inline void score_keys(const PageSlots<kType>& page, const float* q, Index dim, float scale, float* scores) {
  for (Index s = 0; s < page.count; s += 4) {
    const char* key[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      key[i] = page.keys + at_most(s + i, page.count - 1) * page.row_bytes;
      if (page.ahead != 0) prefetch(key[i] + page.ahead, page.row_bytes);
    }
    F acc[extent(kHeads)][4];
    for (auto& head : acc)
      for (F& slot : head) slot = zero();
    Index d = 0;
    for (; d + kWidth <= dim; d += kWidth) {
      F k[4];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) k[i] = load_weights<kType>(key[i] + d * kBytes<kType>);
#pragma GCC unroll 4
      for (int h = 0; h < kHeads; ++h) {
        const F query = load(q + h * dim + d);
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) acc[h][i] = fma(k[i], query, acc[h][i]);
      }
    }
    if (d < dim) {
      for (int i = 0; i < 4; ++i) {
        const F k = load_first_weights<kType>(key[i] + d * kBytes<kType>, dim - d);
        for (int h = 0; h < kHeads; ++h) acc[h][i] = fma(k, load_first(q + h * dim + d, dim - d), acc[h][i]);
      }
    }
#pragma GCC unroll 4
    for (int h = 0; h < kHeads; ++h) {
      const F4 dots = sum_each(acc[h][0], acc[h][1], acc[h][2], acc[h][3]);
      store4(scores + h * kPageSlots + s, mul4(dots, set1_4(scale)));
    }
  }
}

// Turns a head's scores into weights relative to the new maximum and returns the factor for what was there
// before.
inline float weigh_slots(float* scores, Index count, float& max_score, float& sum_of_weights) {
  const Index padded = round_up(count, kWidth);
  for (Index s = count; s < padded; ++s) scores[s] = kLowest;
  const float previous = max_score;
  F highest = set1(previous);
  for (Index s = 0; s < padded; s += kWidth) highest = max(load(scores + s), highest);
  alignas(64) float lanes[kWidth];
  store(lanes, highest);
  for (float lane : lanes) max_score = lane > max_score ? lane : max_score;
  const F reference = set1(max_score);
  F total = zero();
  for (Index s = 0; s < padded; s += kWidth) {
    const F weights = exp_below_88(sub(load(scores + s), reference));
    store(scores + s, weights);
    total = add(total, weights);
  }
  if (previous == max_score) {
    sum_of_weights += sum(total);
    return 1;
  }
  store(lanes, exp_below_88(sub(set1(previous), reference)));
  sum_of_weights = sum_of_weights * lanes[0] + sum(total);
  return lanes[0];
}

// acc[h] = acc[h] * factor[h] + sum_s weights[h][s] * value[s], for kVectors vectors (or the last `tail`
// lanes).
template <DType kType, int kHeads, int kVectors>
inline void add_values(const PageSlots<kType>& page, const float* weights, const float* factor, Index dim,
                       Index d, Index tail, float* acc) {
  F sums[extent(kHeads)][extent(kVectors)];
#pragma GCC unroll 4
  for (int h = 0; h < kHeads; ++h) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const float* from = acc + h * dim + d + v * kWidth;
      sums[h][v] = mul(tail != 0 ? load_first(from, tail) : load(from), set1(factor[h]));
    }
  }
  for (Index s = 0; s < page.count; ++s) {
    const char* value = page.values + s * page.row_bytes + d * kBytes<kType>;
    F row[extent(kVectors)];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const char* at = value + v * kWidth * kBytes<kType>;
      row[v] = tail != 0 ? load_first_weights<kType>(at, tail) : load_weights<kType>(at);
    }
    if (page.ahead != 0) prefetch(value + page.ahead, kVectors * kWidth * kBytes<kType>);
#pragma GCC unroll 4
    for (int h = 0; h < kHeads; ++h) {
      const F weight = set1(weights[h * kPageSlots + s]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[h][v] = fma(weight, row[v], sums[h][v]);
    }
  }
#pragma GCC unroll 4
  for (int h = 0; h < kHeads; ++h) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      float* to = acc + h * dim + d + v * kWidth;
      if (tail != 0) {
        store_first(to, sums[h][v], tail);
      } else {
        store(to, sums[h][v]);
      }
    }
  }
}

template <DType kType, int kHeads>
inline void attend_page(const AttendSlotsArgs& args, const PageSlots<kType>& page, Index head,
                        Index first_slot) {
  const Index dim = args.head_dim;
  alignas(64) float scores[extent(kHeads * kPageSlots)];
  float factor[extent(kHeads)];
  score_keys<kType, kHeads>(page, args.q + head * dim, dim, args.scale, scores);
  for (int h = 0; h < kHeads; ++h) {
    float* row = scores + h * kPageSlots;
    if (args.scores != nullptr) {
      float* to = args.scores + (head + h) * args.scores_stride + first_slot - args.slot_begin;
      for (Index s = 0; s < page.count; ++s) to[s] = row[s];
    }
    factor[h] = weigh_slots(row, page.count, args.state.max[head + h], args.state.sum[head + h]);
  }
  float* acc = args.state.acc + head * dim;
  Index d = 0;
  for (; d + kValueVectors * kWidth <= dim; d += kValueVectors * kWidth) {
    add_values<kType, kHeads, kValueVectors>(page, scores, factor, dim, d, 0, acc);
  }
  for (; d + kWidth <= dim; d += kWidth) add_values<kType, kHeads, 1>(page, scores, factor, dim, d, 0, acc);
  if (d < dim) add_values<kType, kHeads, 1>(page, scores, factor, dim, d, dim - d, acc);
}

template <DType kType>
inline void attend_slots_of(const AttendSlotsArgs& args) {
  const Index dim = args.head_dim;
  const Index row_bytes = dim * kBytes<kType>;
  for (Index slot = args.slot_begin; slot < args.slot_end;) {
    const Index row = slot % kPageSlots;
    const Index index = slot / kPageSlots;
    const Index end = at_most(slot - row + kPageSlots, args.slot_end);
    const auto* keys = static_cast<const char*>(args.pages[index]) + row * row_bytes;
    PageSlots<kType> page{keys, keys + kPageSlots * row_bytes, end - slot, row_bytes, 0};
    Index head = 0;
    if (end < args.slot_end)
      page.ahead = static_cast<const char*>(args.pages[index + 1]) + row * row_bytes - keys;
    while (head < args.group) {
      const Index left = args.group - head;
      if constexpr (kSlotHeads >= 4) {
        if (left >= 4) {
          attend_page<kType, 4>(args, page, head, slot);
          head += 4;
          page.ahead = 0;
          continue;
        }
        if (left == 3) {
          attend_page<kType, 3>(args, page, head, slot);
          break;
        }
      }
      if (left >= 2) {
        attend_page<kType, 2>(args, page, head, slot);
        head += 2;
      } else {
        attend_page<kType, 1>(args, page, head, slot);
        ++head;
      }
      page.ahead = 0;  // one pass over the page prefetches the next
    }
    slot = end;
  }
}

inline void attend_slots(const AttendSlotsArgs& args) {
  for (int g = 0; g < args.group; ++g) {
    args.state.max[g] = args.slot_begin < args.slot_end ? kLowest : -__builtin_inff();
    args.state.sum[g] = 0;
  }
  for (Index i = 0; i < Index{args.group} * args.head_dim; ++i) args.state.acc[i] = 0;
  if (args.kv_dtype == DType::f32) return attend_slots_of<DType::f32>(args);
  return attend_slots_of<DType::bf16>(args);
}

}  // namespace
}  // namespace kernels::simd
