#include "kernels/cuda/judgement.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/prefill.cuh"

namespace kernels::cuda {

namespace {

constexpr float kLog2E = 1.4426950408889634f;  // scores are in units of it, so that weights are powers of two

// A block's lanes are (query, query head) pairs of one KV head, neighbouring queries together; 16 to a warp.
constexpr int kLanes = 64;
constexpr int kWarps = kLanes / 16;
constexpr int kThreads = kWarps * kWarp;

// Keys of a tile. Two tiles fit into what any device from 8.0 on gives a block.
template <int kDim>
constexpr int kKeys = kDim <= 128 ? 64 : 32;

// One tile in shared memory. Eight lanes that read 16 bytes each together touch every bank once: neighbouring
// words, four to a row, of two rows of keys; one word of each of eight rows of values.
template <typename T, int kDim>
struct alignas(16) KeyTile {
  static constexpr int kKeyStride = kDim % 64 == 0 ? kDim + 32 : kDim;
  static constexpr int kValueStride = kDim + 8;
  static_assert(kKeyStride % 64 == 32 && kValueStride % 16 == 8);
  T keys[kKeys<kDim>][kKeyStride];
  T values[kKeys<kDim>][kValueStride];
  std::int32_t position[kKeys<kDim>];    // first position that sees the key
  std::int32_t last_query[kKeys<kDim>];  // last; below the first for what is no key
};

// Brings the keys that a block looks at, tile by tile: the cache's slots in their order, then the chunk's own
// tokens. A tile has keys of one kind only. Either kind lies in runs of kPageSlots rows: pages, or as many
// tokens.
template <typename T, int kDim>
class TileLoader {
 public:
  using Tile = KeyTile<T, kDim>;

  __device__ TileLoader(const PrefillArgs& args, int kv_head, std::int32_t own)
      : args_(args),
        kv_head_(kv_head),
        head_(head_index(args.cache, args.sequence_slot, args.layer, kv_head)),
        live_(args.cache.live[head_]),
        own_(own),
        cached_tiles_((live_ + kKeys<kDim> - 1) / kKeys<kDim>) {
    find_pages(0);
  }

  __device__ int tiles() const { return cached_tiles_ + (own_ + kKeys<kDim> - 1) / kKeys<kDim>; }

  // Starts the copies of a tile's keys and values. Called for every tile in order.
  __device__ void start(Tile& tile, int index) {
    const int dim = padded_head_dim(args_.heads.head_dim);
    const Span span = span_of(index);
    if (span.cached) {
      copy(tile, span, dim, [&](int run) {
        const T* page = page_rows<T>(args_.cache, pages_[run]);
        return Run{page, page + kPageSlots * dim};
      });
      find_pages(index + 1);
      return;
    }
    const int stride = args_.heads.kv_heads * dim;
    copy(tile, span, stride, [&](int run) {
      const std::int64_t at = std::int64_t{span.first + run * kPageSlots} * stride + kv_head_ * dim;
      return Run{static_cast<const T*>(args_.k) + at, static_cast<const T*>(args_.v) + at};
    });
  }

  // Who sees a key. One thread's, for it to be stored with the tile when it has come.
  struct Visibility {
    std::int32_t position, last_query;
    __device__ void store(Tile& tile) const {
      if (threadIdx.x >= kKeys<kDim>) return;
      tile.position[threadIdx.x] = position;
      tile.last_query[threadIdx.x] = last_query;
    }
  };
  __device__ Visibility visibility(int index) const {
    const Span span = span_of(index);
    const int key = static_cast<int>(threadIdx.x);
    if (key >= kKeys<kDim> || key >= span.count) return {0, -1};
    const std::int32_t i = span.first + key;
    if (!span.cached) return {args_.first_position + i, own_last_query(args_, kv_head_, i)};
    return {0, args_.cache.ring_size > 0 ? *last_query_of(args_.cache, head_, i) : kEveryQuery};
  }

 private:
  static constexpr int kRuns = kKeys<kDim> / kPageSlots;
  static constexpr int kWords = kDim / 8;  // of 16 bytes in a row

  struct Span {
    bool cached;
    std::int32_t first, count;  // of its kind; more than a tile's keys if it is not the last
  };
  __device__ Span span_of(int index) const {
    const bool cached = index < cached_tiles_;
    const std::int32_t first = (cached ? index : index - cached_tiles_) * kKeys<kDim>;
    return {cached, first, (cached ? live_ : own_) - first};
  }

  // The first row of each.
  struct Run {
    const T* keys;
    const T* values;
  };

  // Of a tile that is to be started later: nobody should have to wait for them then.
  __device__ void find_pages(int index) {
#pragma unroll
    for (int run = 0; run < kRuns; ++run) {
      const std::int32_t slot = index * kKeys<kDim> + run * kPageSlots;
      pages_[run] = slot < live_ ? page_of(args_.cache, head_, slot) : kScratchPage;
    }
  }

  // Rows of what run_of(run) gives are `stride` elements apart.
  template <typename RunOf>
  __device__ void copy(Tile& tile, const Span& span, int stride, const RunOf& run_of) const {
    if (span.count >= kKeys<kDim> && args_.heads.head_dim == kDim) {
      copy_rows<true>(tile, span.count, stride, run_of);
    } else {
      copy_rows<false>(tile, span.count, stride, run_of);
    }
    commit_copies();
  }

  // Zeros for what there is not: values are multiplied even where their weight is zero.
  template <bool kWhole, typename RunOf>
  __device__ void copy_rows(Tile& tile, std::int32_t count, int stride, const RunOf& run_of) const {
    const int words = padded_head_dim(args_.heads.head_dim) / 8;
#pragma unroll
    for (int run = 0; run < kRuns; ++run) {
      const Run rows = run_of(run);
#pragma unroll
      for (int first = 0; first < kPageSlots * kWords; first += kThreads) {
        const int i = first + static_cast<int>(threadIdx.x);
        if (kPageSlots * kWords % kThreads != 0 && i >= kPageSlots * kWords) continue;
        const int row = i / kWords;
        const int word = i % kWords;
        const int key = run * kPageSlots + row;
        const int at = row * stride + 8 * word;
        const bool valid = kWhole || (key < count && word < words);
        copy_16_async(&tile.keys[key][8 * word], rows.keys + at, valid);
        copy_16_async(&tile.values[key][8 * word], rows.values + at, valid);
      }
    }
  }

  const PrefillArgs& args_;
  int kv_head_;
  std::int64_t head_;
  std::int32_t live_, own_;
  int cached_tiles_;
  std::int32_t pages_[kRuns];  // of the next tile
};

// A warp's 16 lanes: their queries in registers, and the running softmax over the tiles seen so far. Of the
// 16 rows of every product a thread holds g and g + 8 (g = lane / 4).
template <typename T, int kDim>
class WarpAttention {
 public:
  __device__ WarpAttention(const PrefillArgs& args, int kv_head, int first_lane);
  __device__ void add(const KeyTile<T, kDim>& tile, float scale);
  __device__ void store(const PrefillArgs& args, int kv_head, int first_lane);

 private:
  static constexpr int kKeyTiles = kKeys<kDim> / 8;
  static constexpr int kSteps = kDim / 32;
  static constexpr int kValueTiles = kDim / 8;
  static constexpr float kNothing = -__builtin_huge_valf();

  __device__ void scores_of(const KeyTile<T, kDim>& tile, float (&scores)[kKeyTiles][4]) const;
  __device__ void mask(const KeyTile<T, kDim>& tile, float scale, float (&scores)[kKeyTiles][4]) const;
  __device__ void weigh(float (&scores)[kKeyTiles][4]);
  __device__ void add_values(const KeyTile<T, kDim>& tile, const float (&weights)[kKeyTiles][4]);

  uint4 q_[2][kSteps];        // rows g, g + 8
  std::int32_t position_[2];  // of their queries
  float max_[2] = {kNothing, kNothing};
  float sum_[2] = {};  // over this thread's keys
  float out_[kValueTiles][4] = {};
};

template <typename T, int kDim>
__device__ WarpAttention<T, kDim>::WarpAttention(const PrefillArgs& args, int kv_head, int first_lane) {
  const HeadsInput& heads = args.heads;
  const int group = heads.query_heads / heads.kv_heads;
  const int dim = padded_head_dim(heads.head_dim);
#pragma unroll
  for (int part = 0; part < 2; ++part) {
    const int lane = first_lane + lane_index() / 4 + 8 * part;
    const int query = lane / group;
    const bool exists = query < heads.rows;
    position_[part] = args.first_position + query;
    const std::int64_t row =
        static_cast<std::int64_t>(query) * heads.query_heads + kv_head * group + lane % group;
    const T* q = static_cast<const T*>(args.q) + row * dim;
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      const int d = 32 * step + 8 * (lane_index() % 4);
      q_[part][step] = exists && d < dim ? *reinterpret_cast<const uint4*>(q + d) : uint4{};
    }
  }
}

template <typename T, int kDim>
__device__ void WarpAttention<T, kDim>::scores_of(const KeyTile<T, kDim>& tile,
                                                  float (&scores)[kKeyTiles][4]) const {
  const int g = lane_index() / 4;
  const int t = lane_index() % 4;
#pragma unroll
  for (int step = 0; step < kSteps; ++step) {
#pragma unroll
    for (int keys = 0; keys < kKeyTiles; ++keys) {
      const uint4 k = *reinterpret_cast<const uint4*>(&tile.keys[8 * keys + g][32 * step + 8 * t]);
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const unsigned a[4] = {first_word(q_[0][step], half), first_word(q_[1][step], half),
                               second_word(q_[0][step], half), second_word(q_[1][step], half)};
        const unsigned b[2] = {first_word(k, half), second_word(k, half)};
        mma<T>(scores[keys], a, b);
      }
    }
  }
}

template <typename T, int kDim>
__device__ void WarpAttention<T, kDim>::mask(const KeyTile<T, kDim>& tile, float scale,
                                             float (&scores)[kKeyTiles][4]) const {
  const int t = lane_index() % 4;
#pragma unroll
  for (int keys = 0; keys < kKeyTiles; ++keys) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int key = 8 * keys + 2 * t + i % 2;
      const std::int32_t query = position_[i / 2];
      const bool visible = tile.position[key] <= query && query <= tile.last_query[key];
      scores[keys][i] = visible ? scores[keys][i] * scale : kNothing;
    }
  }
}

// Scores become weights.
template <typename T, int kDim>
__device__ void WarpAttention<T, kDim>::weigh(float (&scores)[kKeyTiles][4]) {
#pragma unroll
  for (int part = 0; part < 2; ++part) {
    float largest = max_[part];
#pragma unroll
    for (int keys = 0; keys < kKeyTiles; ++keys) {
      largest = fmaxf(largest, fmaxf(scores[keys][2 * part], scores[keys][2 * part + 1]));
    }
    largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, 1));
    largest = fmaxf(largest, __shfl_xor_sync(kAllLanes, largest, 2));
    const float reference =
        largest == kNothing ? 0.0f : largest;  // a row that sees nothing of the tiles so far
    const float rescale = exp2f(max_[part] - reference);
    max_[part] = largest;
    sum_[part] *= rescale;
#pragma unroll
    for (int keys = 0; keys < kKeyTiles; ++keys) {
#pragma unroll
      for (int i = 2 * part; i < 2 * part + 2; ++i) {
        scores[keys][i] = exp2f(scores[keys][i] - reference);
        sum_[part] += scores[keys][i];
      }
    }
#pragma unroll
    for (int tile = 0; tile < kValueTiles; ++tile) {
      out_[tile][2 * part] *= rescale;
      out_[tile][2 * part + 1] *= rescale;
    }
  }
}

// The sums' layout of two neighbouring tiles of 8 keys is the operands' layout of 16.
template <typename T, int kDim>
__device__ void WarpAttention<T, kDim>::add_values(const KeyTile<T, kDim>& tile,
                                                   const float (&weights)[kKeyTiles][4]) {
  // Of four 8 x 8 tiles, the first two are the 16 keys of 8 channels, the others those of the next 8.
  const int key = lane_index() % 16;
  const int channel = lane_index() / 16 * 8;
#pragma unroll
  for (int keys = 0; keys < kKeyTiles; keys += 2) {
    const unsigned a[4] = {pack<T>(weights[keys][0], weights[keys][1]),
                           pack<T>(weights[keys][2], weights[keys][3]),
                           pack<T>(weights[keys + 1][0], weights[keys + 1][1]),
                           pack<T>(weights[keys + 1][2], weights[keys + 1][3])};
#pragma unroll
    for (int channels = 0; channels < kValueTiles; channels += 2) {
      unsigned words[4];
      load_transposed(words, &tile.values[8 * keys + key][8 * channels + channel]);
      const unsigned first[2] = {words[0], words[1]};
      const unsigned second[2] = {words[2], words[3]};
      mma<T>(out_[channels], a, first);
      mma<T>(out_[channels + 1], a, second);
    }
  }
}

template <typename T, int kDim>
__device__ void WarpAttention<T, kDim>::add(const KeyTile<T, kDim>& tile, float scale) {
  float scores[kKeyTiles][4] = {};
  scores_of(tile, scores);
  mask(tile, scale, scores);
  weigh(scores);
  add_values(tile, scores);
}

template <typename T, int kDim>
__device__ void WarpAttention<T, kDim>::store(const PrefillArgs& args, int kv_head, int first_lane) {
  const HeadsInput& heads = args.heads;
  const int group = heads.query_heads / heads.kv_heads;
#pragma unroll
  for (int part = 0; part < 2; ++part) {
    float sum = sum_[part] + __shfl_xor_sync(kAllLanes, sum_[part], 1);
    sum += __shfl_xor_sync(kAllLanes, sum, 2);
    const int lane = first_lane + lane_index() / 4 + 8 * part;
    const std::int64_t row = lane / group * args.out_stride;
    const int first = (kv_head * group + lane % group) * heads.head_dim;
#pragma unroll
    for (int i = 0; i < 2 * kValueTiles; ++i) {
      const int d = 8 * (i / 2) + 2 * (lane_index() % 4) + i % 2;
      if (lane / group >= heads.rows || d >= heads.head_dim) continue;
      const float value = out_[i / 2][2 * part + i % 2] / sum;
      if (args.out_dtype == DType::f32) {
        static_cast<float*>(args.out)[row + first + d] = value;
      } else {
        static_cast<T*>(args.out)[row + first + d] = from_float<T>(value);
      }
    }
  }
}

// A tile is on its way while the one before is computed on.
template <typename T, int kDim>
__device__ void attend(WarpAttention<T, kDim>& attention, KeyTile<T, kDim>* tiles,
                       TileLoader<T, kDim>& loader, float scale) {
  loader.start(tiles[0], 0);
  loader.visibility(0).store(tiles[0]);
  for (int index = 0; index < loader.tiles(); ++index) {
    wait_for_copies<0>();
    __syncthreads();  // the tile is complete, and the one before is no longer read
    KeyTile<T, kDim>& next = tiles[(index + 1) % 2];
    const bool more = index + 1 < loader.tiles();
    if (more) loader.start(next, index + 1);
    const auto visibility = loader.visibility(index + 1);
    attention.add(tiles[index % 2], scale);
    if (more) visibility.store(next);
  }
}

// Blocks that a multiprocessor's registers must suffice for: one computes products while another takes its
// softmax.
template <int kDim>
constexpr int kBlocks = kDim <= 64 ? 4 : 2;

template <typename T, int kDim>
__global__ void __launch_bounds__(kThreads, kBlocks<kDim>) prefill_attention_kernel(const PrefillArgs args) {
  auto* tiles = dynamic_shared<KeyTile<T, kDim>>();
  const HeadsInput& heads = args.heads;
  const int group = heads.query_heads / heads.kv_heads;
  const int kv_head = static_cast<int>(blockIdx.y);
  // Later queries see more keys: they go first, so that no multiprocessor is left with the longest block at
  // the end.
  const int block = static_cast<int>(gridDim.x - 1 - blockIdx.x);
  const int first_lane = block * kLanes + warp_index() * 16;
  const int last_query = ((block + 1) * kLanes - 1) / group;
  // Keys after the block's last query are the future.
  const std::int32_t own = last_query + 1 < heads.rows ? last_query + 1 : heads.rows;

  TileLoader<T, kDim> loader(args, kv_head, own);
  WarpAttention<T, kDim> attention(args, kv_head, first_lane);
  attend(attention, tiles, loader, kLog2E / sqrtf(static_cast<float>(heads.head_dim)));
  attention.store(args, kv_head, first_lane);
}

template <typename T, int kDim>
void launch_dim(const PrefillArgs& args, StreamHandle stream) {
  const int group = args.heads.query_heads / args.heads.kv_heads;
  const LaunchShape shape{
      {blocks_for(std::int64_t{args.heads.rows} * group, kLanes), static_cast<unsigned>(args.heads.kv_heads)},
      kThreads,
      2 * sizeof(KeyTile<T, kDim>)};
  launch(prefill_attention_kernel<T, kDim>, shape, stream, args);
}

template <typename T>
void launch_type(const PrefillArgs& args, StreamHandle stream) {
  if (args.heads.head_dim <= 64) return launch_dim<T, 64>(args, stream);
  if (args.heads.head_dim <= 96) return launch_dim<T, 96>(args, stream);
  if (args.heads.head_dim <= 128) return launch_dim<T, 128>(args, stream);
  launch_dim<T, kMaxHeadDim>(args, stream);
}

}  // namespace

void launch_prefill_attention(const PrefillArgs& args, StreamHandle stream) {
  if (args.heads.rows == 0) return;
  check_heads(args.heads);
  with_element(args.cache.dtype, [&](auto element) { launch_type<decltype(element)>(args, stream); });
}

}  // namespace kernels::cuda
