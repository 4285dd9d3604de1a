using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;
using MLNet.PQCompression.Tests.Compression;
using MLNet.PQCompression.Tests.Distillation;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp.Tests;

/// <summary>TorchSharp's own networks: from memory, from its files, and back.</summary>
public sealed class ModuleTests : TorchTest
{
    private const int Side = 64;

    [SkippableFact]
    public void A_module_gives_the_same_logits_as_a_network()
    {
        using nn.Module<Tensor, Tensor> module = ResNet18();
        ModelGraph graph = TorchModule.ToGraph(module, "resnet18");
        Assert.Equal("resnet18", TorchModule.ToGraph(module).Name); // found out from names and shapes
        Close(Logits(module), Logits(graph), 1e-4, "logits");
    }

    [SkippableFact]
    public void What_TorchSharp_saves_is_a_model_file()
    {
        using nn.Module<Tensor, Tensor> module = ResNet18();
        string path = Path.GetTempFileName();
        try
        {
            module.save(path);
            ModelGraph graph = ModelFile.Load(path);
            foreach ((string name, Initializer expected) in TorchModule.ToGraph(module).Initializers)
                Assert.Equal(expected.ToDense().ToArray(), graph.Initializers[name].ToDense().ToArray());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [SkippableFact]
    public void Compressed_weights_go_back_into_the_module()
    {
        using nn.Module<Tensor, Tensor> module = ResNet18();
        ModelGraph teacher = TorchModule.ToGraph(module, "resnet18");
        float[] weight = teacher.Initializers["layer1.0.conv1.weight"].ToDense().ToArray();
        var options = new KMeansOptions { Codewords = 16, Iterations = 3 };
        KMeansResult clusters = WeightedKMeans.Fit(weight, 9, [], options);
        ModelGraph student = teacher.WithInitializers([new("layer1.0.conv1.weight", new QuantizedTensor(new(64, 64, 3, 3), 9, clusters.Codebook, clusters.Codes))]);
        float[] before = Logits(module);
        TorchModule.CopyTo(student, module);
        Assert.NotEqual(before, Logits(module));
        Close(Logits(student), Logits(module), 1e-4, "logits");
    }

    [SkippableFact]
    public void A_module_in_memory_is_compressed()
    {
        using nn.Module<Tensor, Tensor> module = ResNet18();
        float[] before = Logits(module);
        var options = new CompressionOptions { Method = CompressionMethod.Plain, Codewords = 4, Iterations = 1, Threads = 1 };
        using PqModel student = PqModel.Compress(module, "resnet18", new TestNetworks.Images(1, 3, 224), options);
        Assert.Equal(before, Logits(module));
        Assert.Contains(student.Graph.Initializers.Values, i => i is QuantizedTensor);
        student.CopyTo(module);
        Close(Logits(student.Graph), Logits(module), 1e-3, "logits");
    }

    [SkippableFact]
    public void A_module_that_does_not_fit_is_refused_and_stays()
    {
        _ = Torch;
        using nn.Module<Tensor, Tensor> other = nn.Sequential(("fc", nn.Linear(4, 3)));
        float[] before = other.state_dict()["fc.weight"].Download();
        Assert.Contains("conv1.weight", Assert.Throws<ArgumentException>(() => TorchModule.CopyTo(TinyNetwork.Teacher, other)).Message, StringComparison.Ordinal);
        Assert.Equal(before, other.state_dict()["fc.weight"].Download());
        Assert.Contains("resnet18", Assert.Throws<InvalidModelException>(() => TorchModule.ToGraph(other, "resnet18")).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidModelException>(() => TorchModule.ToGraph(other));
    }

    private nn.Module<Tensor, Tensor> ResNet18()
    {
        _ = Torch;
        manual_seed(1);
        nn.Module<Tensor, Tensor> module = torchvision.models.resnet18(num_classes: 10);
        module.eval();
        return module;
    }

    private static float[] Pixels() => GradientCheck.Values(2 * 3 * Side * Side, 3);

    private static float[] Logits(nn.Module<Tensor, Tensor> module)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        return module.call(tensor(Pixels(), [2, 3, Side, Side])).Download();
    }

    private static float[] Logits(ModelGraph graph) =>
        new NodeEvaluator(graph).EvaluateAll(new Activation(new(2, 3, Side, Side), Pixels()))[0].Span.ToArray();
}
