#include "app/view/text_layout.hpp"

#include <algorithm>
#include <numeric>

namespace app::view {

namespace {

// A line may break after so many characters of one token: no token is wider than a line.
constexpr std::size_t kLongestPiece = 12;

// Characters that are drawn over, or change, the one before them.
bool belongs_to_last(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const bool combining = byte(0) == 0xCC || (byte(0) == 0xCD && byte(1) < 0xB0);  // U+0300 to U+036F
  const bool variation = byte(0) == 0xEF && byte(1) == 0xB8 && byte(2) < 0x90;    // U+FE00 to U+FE0F
  const bool tone = byte(0) == 0xF0 && byte(1) == 0x9F && byte(2) == 0x8F && byte(3) >= 0xBB;  // of skin
  return combining || variation || tone;
}

// Where a piece that begins at `begin` ends: at most kLongestPiece characters on.
std::size_t piece_end(std::string_view text, std::size_t begin, std::size_t end) {
  if (end - begin <= kLongestPiece) return end;
  std::size_t characters = 0;
  for (std::size_t at = begin; at < end; ++at) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
    if (!starts || belongs_to_last(text, at)) continue;
    if (characters == kLongestPiece) return at;
    ++characters;
  }
  return end;
}

}  // namespace

void TextLayout::update(const RunSnapshot& run, const SequenceView& sequence, TokenRange tokens,
                        float wrap_width, const TextMeasure& measure) {
  tokens.begin = std::clamp(tokens.begin, 0, sequence.tokens());
  tokens.end = std::clamp(tokens.end, tokens.begin, sequence.tokens());
  const bool grows = run.run_id() == run_id_ && sequence.id() == sequence_ &&
                     measure.version == measure_version_ && tokens.begin == tokens_.begin &&
                     tokens.end >= tokens_.end;
  if (!grows) {
    pieces_.clear();
    lines_.clear();
    tokens_ = {tokens.begin, tokens.begin};
  }
  run_id_ = run.run_id();
  sequence_ = sequence.id();
  measure_version_ = measure.version;
  const std::size_t had = pieces_.size();
  for (std::int32_t token = tokens_.end; token < tokens.end; ++token) add_pieces(sequence, token, measure);
  tokens_ = tokens;
  if (wrap_width != wrap_width_) {
    wrap_width_ = wrap_width;
    lines_.clear();
    wrap(0);
  } else if (pieces_.size() > had) {
    wrap(had);
  }
}

void TextLayout::add_pieces(const SequenceView& sequence, std::int32_t token, const TextMeasure& measure) {
  const std::string_view text = sequence.token(token).text;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t found = std::min(text.find('\n', begin), text.size());
    const std::size_t end = piece_end(text, begin, found);
    const bool breaks = end == found && found < text.size();
    TextPiece piece{token, static_cast<std::int32_t>(begin), static_cast<std::int32_t>(end), breaks};
    piece.breakable = text[begin] == ' ' || pieces_.empty() || pieces_.back().breaks_line;
    if (end > begin) piece.width = measure.width(text.substr(begin, end - begin));
    if (breaks) piece.width += measure.line_break_width;
    pieces_.push_back(piece);
    begin = breaks ? end + 1 : end;
  }
}

// Continues with `first_piece`, on the last line if it has room.
void TextLayout::wrap(std::size_t first_piece) {
  float x = 0;
  if (first_piece > 0 && !pieces_[first_piece - 1].breaks_line) {
    x = pieces_[first_piece - 1].x + pieces_[first_piece - 1].width;
  } else {
    lines_.push_back({static_cast<std::int32_t>(first_piece), 0});
  }
  for (std::size_t i = first_piece; i < pieces_.size(); ++i) {
    const bool is_first = lines_.back().piece_count == 0;
    if (!is_first && x + pieces_[i].width > wrap_width_) {
      // The whole word moves down, unless the line consists of it.
      std::size_t start = i;
      const auto line_start = static_cast<std::size_t>(lines_.back().first_piece);
      while (start > line_start && !pieces_[start].breakable) --start;
      if (start == line_start) start = i;
      lines_.back().piece_count = static_cast<std::int32_t>(start - line_start);
      lines_.push_back({static_cast<std::int32_t>(start), 0});
      i = start;
      x = 0;
    }
    TextPiece& piece = pieces_[i];
    piece.line = line_count() - 1;
    piece.x = x;
    x += piece.width;
    ++lines_.back().piece_count;
    if (piece.breaks_line && i + 1 < pieces_.size()) {
      lines_.push_back({static_cast<std::int32_t>(i + 1), 0});
      x = 0;
    }
  }
  if (!lines_.empty() && lines_.back().piece_count == 0) lines_.pop_back();
}

std::span<const TextPiece> TextLayout::line(std::int32_t index) const {
  const TextLine& line = lines_[static_cast<std::size_t>(index)];
  return std::span(pieces_).subspan(static_cast<std::size_t>(line.first_piece),
                                    static_cast<std::size_t>(line.piece_count));
}

TokenRange TextLayout::tokens_of_line(std::int32_t index) const {
  const auto pieces = line(index);
  return {pieces.front().token, pieces.back().token + 1};
}

std::optional<std::int32_t> TextLayout::token_at(std::int32_t index, float x) const {
  if (index < 0 || index >= line_count() || x < 0) return {};
  for (const TextPiece& piece : line(index)) {
    if (x < piece.x + piece.width) return piece.token;
  }
  return {};
}

std::size_t TextLayout::first_piece_of(std::int32_t token) const {
  const auto first = std::lower_bound(pieces_.begin(), pieces_.end(), token,
                                      [](const TextPiece& piece, std::int32_t t) { return piece.token < t; });
  return static_cast<std::size_t>(first - pieces_.begin());
}

std::vector<TextRect> TextLayout::rects(std::int32_t token) const {
  std::vector<TextRect> rects;
  for (std::size_t i = first_piece_of(token); i < pieces_.size() && pieces_[i].token == token; ++i) {
    rects.push_back({pieces_[i].line, pieces_[i].x, pieces_[i].width});
  }
  return rects;
}

std::int32_t TextLayout::line_of(std::int32_t token) const {
  if (pieces_.empty()) return 0;
  return pieces_[std::min(first_piece_of(token), pieces_.size() - 1)].line;
}

std::vector<float> TextLayout::minimap(std::span<const float> values, std::int32_t height) const {
  const std::int32_t pixels = std::min(std::max(0, height), line_count());
  std::vector<float> means(static_cast<std::size_t>(pixels), 0);
  const TokenAxis lines{{0, line_count()}, pixels};
  for (std::int32_t pixel = 0; pixel < pixels; ++pixel) {
    const TokenRange range = lines.at(pixel);
    const auto first = static_cast<std::size_t>(tokens_of_line(range.begin).begin - tokens_.begin);
    const auto end = static_cast<std::size_t>(tokens_of_line(range.end - 1).end - tokens_.begin);
    if (end > values.size() || first >= end) continue;
    const auto part = values.subspan(first, end - first);
    means[static_cast<std::size_t>(pixel)] =
        std::accumulate(part.begin(), part.end(), 0.0f) / static_cast<float>(part.size());
  }
  return means;
}

}  // namespace app::view
