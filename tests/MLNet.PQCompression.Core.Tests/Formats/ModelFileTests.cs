using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.PyTorch;
using MLNet.PQCompression.Formats.Safetensors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Formats;

public class ModelFileTests
{
    [SkippableTheory]
    [InlineData("resnet-cifar/resnet20-12fca82f.th", "resnet20", 269_722)]
    [InlineData("resnet-cifar/resnet56-4bfd9763.th", "resnet56", 853_018)]
    [InlineData("resnet-cifar/resnet20.safetensors", "resnet20", 269_722)]
    [InlineData("resnet-cifar/resnet20-jpeg.safetensors", "resnet20", 269_722)]
    public void The_architecture_of_a_state_dict_is_found(string file, string architecture, int parameters)
    {
        ModelGraph graph = ModelFile.Load(SharedData.Require(file));
        Assert.Equal(architecture, graph.Name);
        Assert.Equal(new TensorShape(-1, 10), graph.Outputs[0].Shape);
        Assert.Equal(parameters, graph.Initializers.Where(i => !i.Key.Contains("running")).Sum(i => i.Value.Shape.Count));
        Assert.Equal(new TensorShape(5, 10), ShapeInference.Infer(graph, new(5, 3, 32, 32))[graph.OutputName]);
    }

    [SkippableFact]
    public void The_pickled_and_the_safetensors_weights_are_equal()
    {
        ModelGraph pickled = ModelFile.Load(SharedData.Require("resnet-cifar/resnet20-12fca82f.th"));
        ModelGraph safe = ModelFile.Load(SharedData.Require("resnet-cifar/resnet20.safetensors"), "ResNet20");
        Assert.Equal(pickled.Initializers.Keys, safe.Initializers.Keys);
        foreach ((string name, Initializer weight) in pickled.Initializers)
            Assert.True(weight.ToDense().Span.SequenceEqual(safe.Initializers[name].ToDense().Span), name);
    }

    [SkippableTheory]
    [InlineData("resnet18_small_blocks", "resnet18", "layer2.0.conv1.weight", 9, 64, 20)]
    [InlineData("resnet50_large_blocks", "resnet50", "layer2.0.conv2.weight", 18, 64, 53)]
    public void The_published_checkpoints_become_quantized_weights(string file, string architecture, string layer, int d, int m, int quantized)
    {
        ModelGraph graph = ModelFile.Load(SharedData.Require($"kill-the-bits/{file}.pth"));
        Assert.Equal(architecture, graph.Name);
        Assert.Equal(quantized, graph.Initializers.Values.Count(i => i is QuantizedTensor));
        var weight = Assert.IsType<QuantizedTensor>(graph.Initializers[layer]);
        Assert.Equal((d, m, 256), (weight.BlockSize, weight.BlocksPerRow, weight.Codewords));
        Assert.Equal(new TensorShape(1000, architecture == "resnet18" ? 512 : 2048), graph.Initializers["fc.weight"].Shape);
        Assert.Equal(new TensorShape(1, 1000), ShapeInference.Infer(graph, new(1, 3, 224, 224))[graph.OutputName]);
    }

    [SkippableFact]
    public void Another_architecture_is_refused_with_the_names_that_differ()
    {
        string path = SharedData.Require("resnet-cifar/resnet20.safetensors");
        var e = Assert.Throws<InvalidModelException>(() => ModelFile.Load(path, "resnet32"));
        Assert.Contains("layer1.3.conv1.weight", e.Message);
        Assert.Contains("missing", e.Message);
        e = Assert.Throws<InvalidModelException>(() => ModelFile.Load(path, "resnet19"));
        Assert.Contains("wide_resnet50_2", e.Message);
    }

    [Fact]
    public void A_file_too_large_for_an_array_is_refused_by_name()
    {
        string path = Path.GetTempFileName();
        try
        {
            using (FileStream file = File.OpenWrite(path))
                file.SetLength(Array.MaxLength + 1L); // Sparse: it takes no room on the disk.
            Assert.Contains(path, Assert.Throws<InvalidModelException>(() => ModelFile.Load(path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
