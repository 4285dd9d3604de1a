using MLNet.PQCompression.Architectures;
using MLNet.PQCompression.Formats.Safetensors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Architectures;

public class ArchitectureTests
{
    [Theory]
    [InlineData("resnet18", 11_689_512)]
    [InlineData("resnet34", 21_797_672)]
    [InlineData("resnet50", 25_557_032)]
    [InlineData("resnet101", 44_549_160)]
    [InlineData("resnet152", 60_192_808)]
    [InlineData("resnext50_32x4d", 25_028_904)]
    [InlineData("resnext101_32x8d", 88_791_336)]
    [InlineData("resnext101_64x4d", 83_455_272)]
    [InlineData("wide_resnet50_2", 68_883_240)]
    [InlineData("wide_resnet101_2", 126_886_696)]
    public void The_parameters_are_as_many_as_published(string name, long parameters) => Assert.Equal(parameters, Count(name, 1000));

    [Theory]
    [InlineData("resnet20", 269_722)]
    [InlineData("resnet32", 464_154)]
    [InlineData("resnet44", 658_586)]
    [InlineData("resnet56", 853_018)]
    [InlineData("resnet110", 1_727_962)]
    [InlineData("resnet18_cifar", 11_173_962)]
    [InlineData("resnet50_cifar", 23_520_842)]
    public void The_CIFAR_networks_have_as_many_parameters_as_published(string name, long parameters) => Assert.Equal(parameters, Count(name, 10));

    [Theory]
    [InlineData("resnet18")]
    [InlineData("resnet50")]
    [InlineData("resnext50_32x4d")]
    [InlineData("resnet20")]
    [InlineData("resnet44")]
    [InlineData("resnet110")]
    public void A_state_dict_is_recognised_by_its_names_and_shapes(string name)
    {
        StateDict state = Random(name, 7);
        Assert.Same(Architecture.Find(name.ToUpperInvariant().Replace('_', '-')), Architecture.Detect(state));
        ModelGraph graph = Architecture.Detect(state).Build(state);
        int size = Architecture.Find(name).ImageSize;
        Assert.Equal(new TensorShape(2, 7), ShapeInference.Infer(graph, new(2, 3, size, size))[graph.OutputName]);
    }

    [Fact]
    public void What_names_and_shapes_cannot_tell_apart_is_asked_for_by_name()
    {
        StateDict state = Random("resnet18_cifar", 10);
        Assert.Contains("It fits resnet18_cifar", Assert.Throws<InvalidModelException>(() => Architecture.Detect(state)).Message);
        ModelGraph graph = Architecture.Find("resnet18-cifar").Build(state);
        Assert.DoesNotContain(graph.Nodes, n => n.Operator is MaxPool);
        Assert.Equal(new TensorShape(1, 64, 32, 32), ShapeInference.Infer(graph, new(1, 3, 32, 32))[graph.Nodes.Single(n => n.Name == "layer1.0.add").Outputs[0]]);
    }

    [Fact]
    public void Every_tensor_that_does_not_fit_is_listed()
    {
        StateDict whole = Random("resnet20", 10);
        var tensors = whole.Where(t => t.Key != "bn1.bias" && t.Key != "conv1.weight").ToList();
        tensors.Add(new("conv1.weight", new WeightTensor(new DenseTensor(new(16, 1, 3, 3), new float[144]))));
        tensors.Add(new("extra.weight", new WeightTensor(new DenseTensor(new(1), new float[1]))));
        tensors.Add(new("bn1.num_batches_tracked", new IntegerTensor(new(), TensorElementType.Int64, new long[1])));
        var e = Assert.Throws<InvalidModelException>(() => Architecture.Find("resnet20").Build(new("weights.pth", tensors)));
        Assert.Equal(
            "weights.pth does not hold the weights of resnet20: 1 missing: bn1.bias; 1 surplus: extra.weight; "
            + "1 of another shape: conv1.weight is 16×1×3×3 instead of 16×3×3×3.", e.Message);
        e = Assert.Throws<InvalidModelException>(() => Architecture.Detect(new("weights.pth", tensors)));
        Assert.Contains("Nearest is resnet20", e.Message);
    }

    [Fact]
    public void A_classifier_whose_bias_has_another_length_is_refused()
    {
        var tensors = Random("resnet20", 10).Where(t => t.Key != "linear.bias").ToList();
        tensors.Add(new("linear.bias", new WeightTensor(new DenseTensor(new(9), new float[9]))));
        Assert.Contains("linear.bias", Assert.Throws<InvalidModelException>(() => Architecture.Find("resnet20").Build(new("weights.pth", tensors))).Message);
    }

    [Fact]
    public void A_graph_exports_to_the_state_dict_it_came_from()
    {
        StateDict state = Random("resnet20", 10);
        ModelGraph graph = Architecture.Detect(state).Build(state);
        var file = new MemoryStream();
        SafetensorsFile.Write(StateDict.FromGraph(graph), file);
        StateDict read = SafetensorsFile.Read(file.ToArray(), "exported");
        Assert.Equal(state.Keys.Order(), read.Keys.Order());
        foreach ((string name, StateTensor tensor) in state)
            Assert.Equal(((WeightTensor)tensor).Value.ToDense().ToArray(), ((WeightTensor)read[name]).Value.ToDense().ToArray());
    }

    private static long Count(string name, int classes) => ResidualNetwork.Define(Architecture.Find(name)).Parameters
        .Where(p => !p.Key.Contains(".running_", StringComparison.Ordinal))
        .Sum(p => p.Value.Dimensions.Aggregate(1L, (product, d) => product * (d < 0 ? classes : d)));

    private static StateDict Random(string name, int classes)
    {
        var random = new Random(1);
        return new("random", ResidualNetwork.Define(Architecture.Find(name)).Parameters.Select(p =>
        {
            var shape = new TensorShape([.. p.Value.Dimensions.Select(d => d < 0 ? classes : d)]);
            float[] values = new float[shape.Count];
            for (int i = 0; i < values.Length; i++)
                values[i] = random.NextSingle();
            return KeyValuePair.Create<string, StateTensor>(p.Key, new WeightTensor(new DenseTensor(shape, values)));
        }));
    }
}
