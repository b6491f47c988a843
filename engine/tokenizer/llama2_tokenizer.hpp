// A SentencePiece model as a tokenizer, with the layout that Hugging Face's LlamaTokenizer gives it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/events/result.hpp"
#include "engine/tokenizer/bpe_tokenizer.hpp"

namespace engine {

// The keys of tokenizer_config.json that change where the space before the first word goes.
struct Llama2Layout {
  bool legacy = false;           // also after every special token
  bool add_prefix_space = true;  // at all
};

Result<std::shared_ptr<BpeTokenizer>> make_llama2_tokenizer(std::string_view bytes, const std::string& file,
                                                            const Llama2Layout& layout);

}  // namespace engine
