using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using MLNet.PQCompression.Cli.Configuration;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Cli.Tests;

public sealed class ConfigurationTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Fact]
    public async Task Init_writes_the_plan_and_compress_follows_it_as_if_it_had_been_typed()
    {
        string config = files.File("pq.json"), typed = files.File("typed.onnx"), configured = files.File("configured.onnx");
        JsonElement written = (await ToolRun.Of("init", files.Model, "--output", config, "--k", "16", "--layer", "conv3:skip", "--json")).Json();
        Assert.Equal(4, written.GetProperty("layers").GetInt32());
        JsonNode json = JsonNode.Parse(await File.ReadAllTextAsync(config))!;
        Assert.Equal(["conv1.weight", "conv2.weight", "conv3.weight", "fc.weight"], json["layer"]!.AsArray().Select(l => l!["layer"]!.GetValue<string>()));
        Assert.Equal(16, json["layer"]![1]!["k"]!.GetValue<int>());
        string[] arguments = ["compress", files.Model, "--images", files.Images, "--json", "--output"];
        (await ToolRun.Of([.. arguments, typed, "--k", "16", "--layer", "conv3:skip"])).Json();
        (await ToolRun.Of([.. arguments, configured, "--config", config])).Json();
        ModelGraph one = ModelFile.Load(typed), other = ModelFile.Load(configured);
        Assert.IsType<DenseTensor>(other.Initializers["conv3.weight"]);
        Assert.Equal(((QuantizedTensor)one.Initializers["conv2.weight"]).Codes.ToArray(), ((QuantizedTensor)other.Initializers["conv2.weight"]).Codes.ToArray());
        Assert.Contains("\"k\":16", other.Metadata["pq.configuration"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_typed_wins_and_layers_add_up()
    {
        string config = files.File("win.json"), output = files.File("win.onnx");
        await File.WriteAllTextAsync(config, """
            {
              // Comments and trailing commas are allowed.
              "k": 8, "seed": 3, "maxImages": 12, "images": "nowhere", "targetRatio": 3,
              "layer": [{ "layer": "*", "d": 9, "k": 8 }, { "layer": "conv1*", "skip": true }, { "layer": "fc*", "skip": true }, { "layer": "conv3*", "d": 4 }],
            }
            """);
        JsonElement json = (await ToolRun.Of("compress", files.Model, "--config", config, "--images", files.Images, "--output", output, "--layer", "conv2:d=18,k=8", "--max-kl", "10", "--json")).Json();
        Assert.Equal(12, json.GetProperty("images").GetInt32());
        Assert.Equal((18, 8), (json.GetProperty("layers")[1].GetProperty("blockSize").GetInt32(), json.GetProperty("layers")[1].GetProperty("codewords").GetInt32()));
        Assert.Equal(JsonValueKind.Null, json.GetProperty("layers")[3].GetProperty("blockSize").ValueKind);
    }

    [Theory]
    [InlineData("""{ "seeed": 3 }""", "'seeed' is no setting (did you mean 'seed'?)")]
    [InlineData("""{ "seed": true }""", "'seed' is true")]
    [InlineData("""{ "seed": [1] }""", "'seed' is [1]")]
    [InlineData("""{ "seed": null }""", "'seed' is null")]
    [InlineData("""{ "seed": 1, "seed": 2 }""", "'seed' comes twice")]
    [InlineData("""{ "views": 0 }""", "--views must be 1 or more")]
    [InlineData("""{ "blocks": "medium" }""", "--blocks 'medium'")]
    [InlineData("""{ "reestimateBatchnorm": "yes" }""", "true or false is expected")]
    [InlineData("""{ "layer": [{ "layer": "fc" }] }""", "an entry of 'layer'")]
    [InlineData("""{ "layer": [{ "layer": "fc", "d": [] }] }""", "'layer' holds []")]
    [InlineData("""{ "layer": [{ "name": "fc", "skip": true }] }""", "an entry of 'layer'")]
    [InlineData("""[1, 2]""", "no JSON object")]
    [InlineData("""{ "seed": 3""", "line 1")]
    [InlineData("""{ "layer": [[[[[[[[[[1]]]]]]]]]] }""", "line 1")]
    public async Task A_broken_configuration_is_a_usage_error_that_names_the_entry(string text, string problem)
    {
        string config = files.File("broken.json");
        await File.WriteAllTextAsync(config, text);
        (await ToolRun.Of("compress", files.Model, "--config", config, "--images", files.Images, "--output", files.File("none.onnx"))).Fails(Tool.WrongUsage, problem);
    }

    [Fact]
    public async Task A_configuration_that_is_not_there_or_far_too_large_is_named()
    {
        (await ToolRun.Of("compress", files.Model, "--config", "no-such.json", "--images", files.Images, "--output", files.File("none.onnx"))).Fails(Tool.WrongUsage, "no-such.json", "init");
        string large = files.File("large.json");
        await File.WriteAllTextAsync(large, new string(' ', 2 << 20));
        (await ToolRun.Of("compress", files.Model, "--config", large, "--images", files.Images, "--output", files.File("none.onnx"))).Fails(Tool.WrongUsage, "large.json", "bytes");
    }

    [Fact]
    public async Task The_schema_takes_what_init_writes_and_refuses_other_names()
    {
        string config = files.File("schema-case.json");
        JsonElement written = (await ToolRun.Of("init", files.Model, "--output", config, "--json")).Json();
        string text = await File.ReadAllTextAsync(written.GetProperty("schema").GetString()!);
        var schema = JsonSchema.FromText(text);
        JsonObject json = JsonNode.Parse(await File.ReadAllTextAsync(config))!.AsObject();
        Assert.True(schema.Evaluate(JsonSerializer.SerializeToElement(json)).IsValid);
        json["targetSize"] = "2MB";
        Assert.True(schema.Evaluate(JsonSerializer.SerializeToElement(json)).IsValid);
        json["targetSise"] = "2MB";
        Assert.False(schema.Evaluate(JsonSerializer.SerializeToElement(json)).IsValid);
        json.Remove("targetSise");
        json["blocks"] = "medium";
        Assert.False(schema.Evaluate(JsonSerializer.SerializeToElement(json)).IsValid);
        Assert.All(JsonNode.Parse(text)!["properties"]!.AsObject().Skip(1), p => Assert.NotNull(p.Value!["description"]));
    }

    [Theory]
    [InlineData("seed", "seeed", 1)]
    [InlineData("images", "imgaes", 1)]
    [InlineData("", "abc", 3)]
    [InlineData("kitten", "sitting", 3)]
    public void Words_are_as_far_apart_as_the_edits_between_them(string a, string b, int distance) => Assert.Equal(distance, Suggestion.Distance(a, b));
}
