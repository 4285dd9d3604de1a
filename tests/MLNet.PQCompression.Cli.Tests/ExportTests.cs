using System.Text.Json;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Safetensors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Cli.Tests;

public sealed class ExportTests(ToolFixture files) : IClassFixture<ToolFixture>
{
    [Fact]
    public async Task A_compressed_model_stays_so_or_is_decoded_as_asked()
    {
        string small = files.File("small.onnx"), dense = files.File("dense.onnx");
        JsonElement json = (await ToolRun.Of("export", await files.Compressed(), "--output", small, "--opset", "13", "--json")).Json();
        Assert.Equal(new FileInfo(small).Length, json.GetProperty("fileBytes").GetInt64());
        Assert.Equal(Tool.Succeeded, (await ToolRun.Of("export", small, "--output", dense, "--dense")).Code);
        ModelGraph compressed = ModelFile.Load(small), decoded = ModelFile.Load(dense);
        Assert.DoesNotContain(decoded.Initializers.Values, i => i is QuantizedTensor);
        Assert.Equal(compressed.Initializers["conv2.weight"].ToDense().ToArray(), decoded.Initializers["conv2.weight"].ToDense().ToArray());
        JsonElement evaluation = (await ToolRun.Of("evaluate", dense, "--images", files.Images, "--teacher", small, "--json")).Json();
        Assert.Equal(files.ImageCount, evaluation.GetProperty("agreement").GetInt32());
    }

    [Fact]
    public async Task Weights_go_to_safetensors()
    {
        string output = files.File("weights.safetensors");
        Assert.Equal(Tool.Succeeded, (await ToolRun.Of("export", files.Model, "--output", output)).Code);
        var weight = Assert.IsType<WeightTensor>(SafetensorsFile.Read(output)["conv2.weight"]);
        Assert.Equal(TinyModel.Create().Initializers["conv2.weight"].ToDense().ToArray(), weight.Value.ToDense().ToArray());
    }

    [Fact]
    public async Task An_existing_output_and_a_missing_folder_are_refused_before_the_work()
    {
        (await ToolRun.Of("export", files.Model, "--output", files.OtherModel)).Fails(Tool.Failed, "--overwrite");
        (await ToolRun.Of("export", files.Model, "--output", files.File("no-folder/x.onnx"))).Fails(Tool.Failed, "no-folder");
    }
}
