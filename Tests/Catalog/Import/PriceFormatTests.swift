import Base
import Catalog
import TestKit
import Testing

/// The lists of prices that can be read.
struct PriceFormatTests {
    @Test func `a list shows by itself which format it has`() {
        for (text, format) in [
            (#" {"data":[]}"#, PriceFormat.openRouter),
            (#"{"gpt-4o":{"litellm_provider":"openai"}}"#, .litellm),
            (#"{"data":{"litellm_provider":"openai"}}"#, .litellm), ("provider,upstream_name", .hivegate),
            ("", .hivegate), ("{", .litellm),
        ] { #expect(PriceFormat(of: Array(text.utf8)) == format, "\(text)") }
    }

    private func read(_ text: String, _ format: PriceFormat) throws -> [String: ListedPrice] {
        Dictionary(uniqueKeysWithValues: try format.read(Array(text.utf8)).map { ($0.name, $0) })
    }

    @Test func `LiteLLM's list`() throws {
        let list = try read(
            """
            {
              "sample_spec": {"litellm_provider": "one of many", "input_cost_per_token": 0.0},
              "claude-x": {
                "litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 3e-06,
                "output_cost_per_token": 1.5e-05, "cache_read_input_token_cost": 3e-07,
                "cache_creation_input_token_cost": 3.75e-06,
                "cache_creation_input_token_cost_above_1hr": 6e-06,
                "input_cost_per_token_above_200k_tokens": 6e-06,
                "output_cost_per_token_above_200k_tokens": 2.25e-05,
                "search_context_cost_per_query": {"search_context_size_low": 0.005,
                  "search_context_size_medium": 0.01, "search_context_size_high": 0.02}
              },
              "groq/openai/gpt-oss-120b": {"litellm_provider": "groq", "input_cost_per_token": 1.5e-07,
                "output_cost_per_token": 0.0},
              "together_ai/deepseek-ai/DeepSeek-R1": {"litellm_provider": "together_ai",
                "input_cost_per_token": 3e-06},
              "command-x": {"litellm_provider": "cohere_chat", "input_cost_per_token": 1e-06},
              "cohere/embed-x": {"litellm_provider": "cohere", "input_cost_per_token": 1.2e-07},
              "eu.anthropic.x": {"litellm_provider": "bedrock_converse", "input_cost_per_token": 1e-06},
              "gpt-image-x": {"litellm_provider": "openai", "mode": "image_generation",
                "output_cost_per_image_token": 4e-05, "output_cost_per_image": 0.04},
              "dall-x": {"litellm_provider": "openai", "mode": "image_generation",
                "output_cost_per_image": 0.04},
              "flux-x": {"litellm_provider": "fireworks_ai", "mode": "image_generation",
                "input_cost_per_token": 3.5e-10, "output_cost_per_token": 3.5e-10},
              "perplexity/perplexity/sonar": {"litellm_provider": "perplexity"},
              "whisper-x": {"litellm_provider": "openai", "input_cost_per_second": 0.0001},
              "aiml/flux": {"litellm_provider": "aiml", "output_cost_per_image": 0.05},
              "odd": {"litellm_provider": "openai", "input_cost_per_token": "much",
                "output_cost_per_token": -1},
              "twofold": {"litellm_provider": "gemini", "input_cost_per_token_above_128k_tokens": 1e-06,
                "input_cost_per_token_above_200k_tokens": 2e-06}
            }
            """, .litellm)
        let claude = try #require(list["claude-x"])
        #expect(claude.id == "anthropic/claude-x" && claude.faults.isEmpty)
        #expect(
            claude.amounts == [
                .input: 3_000_000, .output: 15_000_000, .cacheRead: 300_000, .cacheWrite: 3_750_000,
                .cacheWriteLong: 6_000_000, .longInput: 6_000_000, .longOutput: 22_500_000,
                .search: 10_000_000_000,
            ])
        #expect(claude.longAbove == 200_000)
        let groq = try #require(list["groq/openai/gpt-oss-120b"])
        // A 0 says nothing there.
        #expect(groq.id == "groq/openai/gpt-oss-120b" && groq.amounts == [.input: 150_000])
        #expect(list["together_ai/deepseek-ai/DeepSeek-R1"]?.id == "together/deepseek-ai/DeepSeek-R1")
        #expect(list["command-x"]?.id == "cohere/command-x")
        #expect(list["cohere/embed-x"]?.id == "cohere/embed-x")
        #expect(list["eu.anthropic.x"]?.id == "bedrock/eu.anthropic.x")
        #expect(list["gpt-image-x"]?.amounts == [.imageOutput: 40_000_000])
        #expect(list["dall-x"]?.amounts == [.image: 40_000_000_000])
        #expect(list["flux-x"]?.amounts == [:])
        #expect(list["perplexity/perplexity/sonar"]?.id == "perplexity/perplexity/sonar")
        #expect(list["whisper-x"]?.amounts == [.second: 100_000_000])
        #expect(list["odd"]?.faults.count == 2 && list["odd"]?.amounts == [:])
        #expect(list["twofold"]?.faults.count == 1)
        #expect(list["sample_spec"] == nil && list["aiml/flux"] == nil && list.count == 13)
    }

    @Test func `OpenRouter's list`() throws {
        let list = try read(
            """
            {"data": [
              {"id": "anthropic/claude-x", "pricing": {"prompt": "0.000003", "completion": "0.000015",
                "request": "0", "image": "0.0048", "web_search": "0.01", "internal_reasoning": "0",
                "input_cache_read": "0.0000003", "input_cache_write": "0.00000375",
                "overrides": [{"min_prompt_tokens": 200000, "prompt": "0.000006", "completion": "0.0000225"}]}},
              {"id": "meta-llama/llama-x", "pricing": {"prompt": "0.0000001", "completion": "0.0000002"}},
              {"id": "google/gemma:free", "pricing": {"prompt": "0", "completion": "0"}},
              {"id": "openrouter/auto", "pricing": {"prompt": "-1", "completion": "-1"}},
              {"id": "openai/odd", "pricing": {"prompt": "cheap", "completion": [1]}},
              {"id": "openai/unpriced"}, 7
            ]}
            """, .openRouter)
        let claude = try #require(list["anthropic/claude-x"])
        #expect(claude.id == "openrouter/anthropic/claude-x" && claude.makersName == "anthropic/claude-x")
        #expect(
            claude.amounts == [
                .input: 3_000_000, .output: 15_000_000, .search: 10_000_000_000, .cacheRead: 300_000,
                .cacheWrite: 3_750_000, .longInput: 6_000_000, .longOutput: 22_500_000,
            ])
        #expect(claude.longAbove == 200_000 && claude.faults.isEmpty)
        // What others serve has another price there than here.
        #expect(list["meta-llama/llama-x"]?.id == "openrouter/meta-llama/llama-x")
        #expect(list["google/gemma:free"]?.id == "openrouter/google/gemma:free")
        #expect(list["google/gemma:free"]?.makersName == nil)
        #expect(list["meta-llama/llama-x"]?.makersName == nil)
        #expect(list["google/gemma:free"]?.amounts == [.input: 0, .output: 0])
        #expect(list["openai/odd"]?.faults.count == 2)
        #expect(list.count == 4)
    }

    @Test func `a table, with quotes, any order of columns, and columns that say nothing of prices`() throws {
        let list = try read(
            "upstream_name,title,provider,input,image,long_above,long_input,output\r\n"
                + "gpt-x,\"GPT, the \"\"X\"\"\nof all\",openai,2.5,0.04,1000,5,\r\n\r\n"
                + "org/odd,Odd,groq,x,,-5,,1", .hivegate)
        let model = try #require(list["openai/gpt-x"])
        #expect(model.id == "openai/gpt-x" && model.longAbove == 1000 && model.faults.isEmpty)
        #expect(model.amounts == [.input: 2_500_000, .image: 40_000_000_000, .longInput: 5_000_000])
        #expect(list["groq/org/odd"]?.faults.count == 2)
        #expect(list["groq/org/odd"]?.amounts == [.output: 1_000_000])
    }

    @Test func `what is no such list is refused as a whole`() {
        let cases: [(PriceFormat, String)] = [
            (.litellm, ""), (.litellm, "[]"), (.litellm, "{"), (.openRouter, "{}"),
            (.openRouter, #"{"data":{}}"#), (.openRouter, "[]"), (.hivegate, ""), (.hivegate, "a,b\n1,2"),
            (.hivegate, "provider,upstream_name,input,input\na,b,1,2"),
            (.hivegate, "provider,upstream_name,input\na,b"),
            (.hivegate, "provider,upstream_name\na,\"b"), (.hivegate, "provider,upstream_name\na,b\"c\""),
        ]
        for (format, text) in cases {
            #expect(throws: PriceFormat.Unreadable.self, "\(format) \(text)") {
                try format.read(Array(text.utf8))
            }
        }
        #expect(throws: PriceFormat.Unreadable.self) { try PriceFormat.hivegate.read([0xFF, 0xFE]) }
    }

    @Test func `the table that is shipped can be read as one`() throws {
        let bytes = try #require(Files.read(Project.root + "/catalog/models.csv"))
        let list = try PriceFormat.hivegate.read(bytes)
        #expect(list.count >= 120 && list.allSatisfy(\.faults.isEmpty))
        #expect(list.first { $0.name == "openai/gpt-4o-mini" }?.amounts[.input] == 150_000)
    }
}
