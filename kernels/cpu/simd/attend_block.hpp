// Prefill attention: blocks of keys against panels of queries with a running softmax, so that no more than
// one [keys, queries] tile of scores exists. Included after a vector_*.hpp.
//
// A panel's lanes are (query, head) pairs: all heads of the group share the keys. Scores come out as
// [key][lane], so the softmax over keys works on whole vectors, and its weights are at once the panel of the
// product with the values.
#pragma once

#include "kernels/cpu/simd/attend_slots.hpp"
#include "kernels/cpu/simd/panel.hpp"

namespace kernels::simd {
namespace {

constexpr Index kBlockKeys = 64;
constexpr Index kBlockPanels = 8;  // panels that share a converted block of keys; their state stays in L2

// Keys and values as float32.
template <DType kType>
struct FloatAttention : FloatProduct {
  static Index words(Index dim) { return dim; }

  static void query_row(const float* q, Index dim, float scale, float* words) {
    for (Index d = 0; d < dim; ++d) words[d] = q[d] * scale;
  }

  static void convert_row(const char* from, Index dim, float* to) {
    Index d = 0;
    for (; d + kWidth <= dim; d += kWidth) store(to + d, load_weights<kType>(from + d * kBytes<kType>));
    if (d < dim) store_first(to + d, load_first_weights<kType>(from + d * kBytes<kType>, dim - d), dim - d);
  }

  // keys: [kBlockKeys][words]
  static void convert_keys(const char* from, Index count, Index dim, float* keys) {
    for (Index j = 0; j < count; ++j) convert_row(from + j * dim * kBytes<kType>, dim, keys + j * dim);
  }

  // values: [kBlockKeys / kPerWord][padded_dim]
  static void convert_values(const char* from, Index count, Index dim, Index padded_dim, float* values) {
    for (Index j = 0; j < count; ++j)
      convert_row(from + j * dim * kBytes<kType>, dim, values + j * padded_dim);
  }

  // Weights of one word's keys, in place of their scores.
  static void store_weights(const F (&weights)[1], float* to) { store(to, weights[0]); }
};

struct KeyBlock {
  Index count;
  alignas(64) std::int32_t position[kBlockKeys];
  alignas(64) std::int32_t last_query[kBlockKeys];
  std::int32_t lowest_position;
  std::int32_t highest_position;
  std::int32_t lowest_last;
  std::int32_t highest_last;
};

struct QueryRange {
  std::int32_t first;
  std::int32_t last;
};

inline bool any_visible(const KeyBlock& keys, QueryRange queries) {
  return keys.lowest_position <= queries.last && keys.highest_last >= queries.first;
}
inline bool all_visible(const KeyBlock& keys, QueryRange queries) {
  return keys.count == kBlockKeys && keys.highest_position <= queries.first &&
         keys.lowest_last >= queries.last;
}

// Keys beyond the end are visible to no query.
inline void describe_keys(const AttendBlockArgs& args, Index first, KeyBlock& block) {
  block.count = at_most(kBlockKeys, args.keys - first);
  block.lowest_position = block.lowest_last = INT32_MAX;
  block.highest_position = block.highest_last = INT32_MIN;
  for (Index j = 0; j < kBlockKeys; ++j) {
    const bool exists = j < block.count;
    const std::int32_t position = exists ? args.position[first + j] : INT32_MAX;
    const std::int32_t last = exists ? args.last_query[first + j] : INT32_MIN;
    block.position[j] = position;
    block.last_query[j] = last;
    if (!exists) continue;
    if (position < block.lowest_position) block.lowest_position = position;
    if (position > block.highest_position) block.highest_position = position;
    if (last < block.lowest_last) block.lowest_last = last;
    if (last > block.highest_last) block.highest_last = last;
  }
}

// One panel of (query, head) lanes with its running softmax.
struct QueryPanel {
  Index vectors;
  Index lanes;     // that hold a query; the others repeat the last one
  float* queries;  // [words][width]
  float* output;   // [padded_dim][width], unnormalised
  QueryRange range;
  alignas(64) float max[kPanelTokens];
  alignas(64) float sum[kPanelTokens];
  alignas(64) std::int32_t position[kPanelTokens];
};

struct BlockLayout {
  Index words;
  Index padded_dim;
  Index key_floats;
  Index value_floats;
  Index query_floats;
  Index output_floats;
};

template <class Attention>
BlockLayout layout_of(Index dim) {
  const Index words = Attention::words(dim);
  const Index padded_dim = round_up(dim, kTileRows);
  return {words,
          padded_dim,
          kBlockKeys * words,
          kBlockKeys / Attention::kPerWord * padded_dim,
          words * kPanelTokens,
          padded_dim * kPanelTokens};
}

template <class Attention>
struct BlockScratch {
  BlockLayout layout;
  float* keys;
  float* values;
  float* scores;
  float* panels;

  BlockScratch(void* memory, Index dim) : layout(layout_of<Attention>(dim)) {
    keys = static_cast<float*>(memory);
    values = keys + round_up(layout.key_floats, 16);
    scores = values + round_up(layout.value_floats, 16);
    panels = scores + kBlockKeys * kPanelTokens;
  }

  static std::size_t bytes(Index dim) {
    const BlockLayout l = layout_of<Attention>(dim);
    const Index floats = round_up(l.key_floats, 16) + round_up(l.value_floats, 16) +
                         kBlockKeys * kPanelTokens + kBlockPanels * (l.query_floats + l.output_floats);
    return static_cast<std::size_t>(floats) * sizeof(float);
  }
};

// Lane i of a panel is row first + i, and row r is head r % group of query r / group.
template <class Attention>
void load_panel(const AttendBlockArgs& args, const BlockLayout& layout, Index first, Index lanes,
                QueryPanel& panel) {
  constexpr Index kWordsAtOnce = 64;
  panel.lanes = lanes;
  panel.vectors = vectors_for(lanes);
  const Index width = panel.vectors * kWidth;
  const float* from[kPanelTokens];
  for (Index i = 0; i < width; ++i) {
    const Index row = first + at_most(i, lanes - 1);
    const Index query = row / args.group;
    from[i] = args.q + query * args.q_stride + row % args.group * args.head_dim;
    panel.position[i] = args.first_position + static_cast<std::int32_t>(query);
    panel.max[i] = kLowest;
    panel.sum[i] = 0;
  }
  panel.range = {panel.position[0], panel.position[width - 1]};
  alignas(64) float rows[extent(kPanelTokens)][extent(kWordsAtOnce)];
  const float* row_words[kPanelTokens];
  for (Index i = 0; i < width; ++i) row_words[i] = rows[i];
  for (Index w = 0; w < layout.words; w += kWordsAtOnce) {
    const Index words = at_most(kWordsAtOnce, layout.words - w);
    const Index d = w * Attention::kPerWord;
    const Index count = at_most(words * Attention::kPerWord, args.head_dim - d);
    for (Index i = 0; i < width; ++i) Attention::query_row(from[i] + d, count, args.scale, rows[i]);
    transpose_into_panel(row_words, words, width, panel.queries + w * width);
  }
  for (Index i = 0; i < layout.padded_dim * width; ++i) panel.output[i] = 0;
}

template <class Attention>
void score_block(const BlockScratch<Attention>& scratch, const KeyBlock& keys, const QueryPanel& panel) {
  const BlockLayout& layout = scratch.layout;
  const Index width = panel.vectors * kWidth;
  for (Index j = 0; j < kBlockKeys; j += kTileRows) {
    const Broadcast rows{reinterpret_cast<const char*>(scratch.keys + j * layout.words), layout.words * 4, 4};
    multiply_tile<Attention>(panel.vectors, rows, panel.queries, layout.words, scratch.scores + j * width,
                             false);
  }
  if (all_visible(keys, panel.range)) return;
  const F hidden = set1(-__builtin_inff());
  for (Index j = 0; j < kBlockKeys; ++j) {
    for (Index i = 0; i < width; i += kWidth) {
      float* at = scratch.scores + j * width + i;
      store(at, where_visible(load(at), hidden, panel.position + i, keys.position[j], keys.last_query[j]));
    }
  }
}

// Scores become softmax weights relative to the new maximum; what was accumulated is scaled to it.
template <class Attention>
void weigh_block(const BlockScratch<Attention>& scratch, QueryPanel& panel) {
  constexpr Index kPerWord = Attention::kPerWord;
  const Index width = panel.vectors * kWidth;
  for (Index i = 0; i < width; i += kWidth) {
    const F previous = load(panel.max + i);
    F max_score = previous;
    for (Index j = 0; j < kBlockKeys; ++j) max_score = max(load(scratch.scores + j * width + i), max_score);
    F total = zero();
    for (Index j = 0; j < kBlockKeys; j += kPerWord) {
      F weights[extent(kPerWord)];
      for (Index k = 0; k < kPerWord; ++k) {
        weights[k] = exp_below_88(sub(load(scratch.scores + (j + k) * width + i), max_score));
        total = add(total, weights[k]);
      }
      Attention::store_weights(weights, scratch.scores + j / kPerWord * width + i);
    }
    const F factor = exp_below_88(sub(previous, max_score));
    store(panel.sum + i, fma(load(panel.sum + i), factor, total));
    if (all_equal(previous, max_score)) continue;
    store(panel.max + i, max_score);
    for (Index d = 0; d < scratch.layout.padded_dim; ++d) {
      float* at = panel.output + d * width + i;
      store(at, mul(load(at), factor));
    }
  }
}

template <class Attention>
void add_weighted_values(const BlockScratch<Attention>& scratch, QueryPanel& panel) {
  const BlockLayout& layout = scratch.layout;
  const Index width = panel.vectors * kWidth;
  for (Index d = 0; d < layout.padded_dim; d += kTileRows) {
    const Broadcast rows{reinterpret_cast<const char*>(scratch.values + d), 4, layout.padded_dim * 4};
    multiply_tile<Attention>(panel.vectors, rows, scratch.scores, kBlockKeys / Attention::kPerWord,
                             panel.output + d * width, true);
  }
}

inline void store_panel(const AttendBlockArgs& args, const BlockLayout& layout, Index first,
                        QueryPanel& panel) {
  const Index width = panel.vectors * kWidth;
  for (Index i = 0; i < width; i += kWidth) {
    const F factor = div(set1(1.0f), load(panel.sum + i));
    for (Index d = 0; d < layout.padded_dim; ++d) {
      float* at = panel.output + d * width + i;
      store(at, mul(load(at), factor));
    }
  }
  float* rows[extent(kPanelTokens)];
  for (Index i = 0; i < panel.lanes; ++i) {
    const Index row = first + i;
    rows[i] = args.out + row / args.group * args.out_stride + row % args.group * args.head_dim;
  }
  for (Index d = 0; d < args.head_dim; d += kTileRows) {
    store_tile(panel.output + d * width, width,
               {rows, panel.lanes, d, at_most(kTileRows, args.head_dim - d), nullptr, false});
  }
}

template <class Attention>
void attend_panels(const AttendBlockArgs& args, Index first, Index rows, BlockScratch<Attention>& scratch) {
  const BlockLayout& layout = scratch.layout;
  QueryPanel panels[kBlockPanels];
  Index count = 0;
  for (Index r = 0; r < rows; r += kPanelTokens, ++count) {
    QueryPanel& panel = panels[count];
    panel.queries = scratch.panels + count * (layout.query_floats + layout.output_floats);
    panel.output = panel.queries + layout.query_floats;
    load_panel<Attention>(args, layout, first + r, at_most(kPanelTokens, rows - r), panel);
  }
  const QueryRange all{panels[0].range.first, panels[count - 1].range.last};
  const Index row_bytes = Index{args.head_dim} * (args.kv_dtype == DType::f32 ? 4 : 2);
  KeyBlock keys;
  for (Index j = 0; j < args.keys; j += kBlockKeys) {
    describe_keys(args, j, keys);
    if (!any_visible(keys, all)) continue;
    Attention::convert_keys(static_cast<const char*>(args.k) + j * row_bytes, keys.count, args.head_dim,
                            scratch.keys);
    Attention::convert_values(static_cast<const char*>(args.v) + j * row_bytes, keys.count, args.head_dim,
                              layout.padded_dim, scratch.values);
    for (Index p = 0; p < count; ++p) {
      if (!any_visible(keys, panels[p].range)) continue;
      score_block(scratch, keys, panels[p]);
      weigh_block(scratch, panels[p]);
      add_weighted_values(scratch, panels[p]);
    }
  }
  for (Index p = 0; p < count; ++p) store_panel(args, layout, first + p * kPanelTokens, panels[p]);
}

template <class Attention>
void attend_block_of(const AttendBlockArgs& args, void* memory) {
  BlockScratch<Attention> scratch(memory, args.head_dim);
  // Rows beyond the last key and columns beyond the last dimension are multiplied too, by weights that are
  // zero.
  const auto key_bytes = reinterpret_cast<char*>(scratch.scores) - static_cast<char*>(memory);
  __builtin_memset(memory, 0, static_cast<std::size_t>(key_bytes));
  const Index rows = Index{args.queries} * args.group;
  for (Index r = 0; r < rows; r += kBlockPanels * kPanelTokens) {
    attend_panels(args, r, at_most(kBlockPanels * kPanelTokens, rows - r), scratch);
  }
}

template <class Attention>
std::size_t block_scratch_bytes(Index head_dim) {
  return BlockScratch<Attention>::bytes(head_dim);
}

template <class Attention>
constexpr BlockKernels block_kernels() {
  return {block_scratch_bytes<Attention>, attend_block_of<Attention>};
}

}  // namespace
}  // namespace kernels::simd
