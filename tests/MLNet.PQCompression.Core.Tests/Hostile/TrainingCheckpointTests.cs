using MLNet.PQCompression.Architectures;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Hostile;

/// <summary>PyTorch files as training leaves them.</summary>
public class TrainingCheckpointTests
{
    [SkippableTheory]
    [InlineData("17-wrapper-prefixes/orig_mod.pth")]
    [InlineData("17-wrapper-prefixes/module_orig_mod.pth")]
    [InlineData("18-training-checkpoints/counter.pth")]
    [InlineData("18-training-checkpoints/device.pth")]
    [InlineData("18-training-checkpoints/model_state_dict.pth")]
    [InlineData("18-training-checkpoints/namespace.pth")]
    [InlineData("18-training-checkpoints/net.pth")]
    [InlineData("18-training-checkpoints/numpy_scalar.pth")]
    public void A_checkpoint_is_read_as_the_plain_state_dict(string file)
    {
        ModelGraph plain = ModelFile.Load(SharedData.Require("cases/17-wrapper-prefixes/plain.pth")), graph = ModelFile.Load(SharedData.Require("cases/" + file));
        Assert.Equal(plain.Name, graph.Name);
        Assert.Equal(plain.Initializers.Keys, graph.Initializers.Keys);
        if (file.StartsWith("17", StringComparison.Ordinal))
            foreach ((string name, Initializer weight) in plain.Initializers)
                Assert.Equal(weight.ToDense().ToArray(), graph.Initializers[name].ToDense().ToArray());
    }

    [SkippableFact]
    public void A_checkpoint_of_Permute_Quantize_and_Fine_tune_is_read_as_a_compressed_model()
    {
        ModelGraph graph = ModelFile.Load(SharedData.Require("pqf/resnet18.pth"));
        Assert.Equal("resnet18", graph.Name);
        var weights = graph.Initializers.Values.OfType<QuantizedTensor>().ToList();
        Assert.Equal(20, weights.Count);
        Assert.Contains(weights, w => w.Codewords == 2048 && w.Shape == new TensorShape(1000, 512));
        Assert.Contains(weights, w => w.Shape == new TensorShape(512, 512, 3, 3));
        Assert.All(graph.Initializers.Where(i => i.Key.EndsWith("running_var", StringComparison.Ordinal)), i => Assert.All(i.Value.ToDense().ToArray(), v => Assert.Equal(1, v)));
    }

    [Theory]
    [InlineData("model.")]
    [InlineData("backbone.body.")]
    public void A_prefix_before_the_names_of_a_network_is_left_out(string prefix)
    {
        StateDict plain = Plain(), state = Prefixed(plain, prefix, ("loss.weight", 10));
        Assert.Equal("resnet20", Architecture.Detect(state).Name);
        Assert.Equal(plain.Count - 0, Architecture.Detect(state).Build(state).Initializers.Count);
    }

    [Fact]
    public void Two_networks_in_one_state_dict_are_refused_by_name()
    {
        StateDict plain = Plain();
        var both = new StateDict("both.pth", Prefixed(plain, "online.").Concat(Prefixed(plain, "target.")));
        string message = Assert.Throws<InvalidModelException>(() => Architecture.Detect(both)).Message;
        Assert.Contains("'online.'", message);
        Assert.Contains("'target.'", message);
    }

    [Fact]
    public void Names_that_all_begin_alike_are_told_in_one_line()
    {
        StateDict odd = new("odd.pth", Plain().Skip(1).Select(t => KeyValuePair.Create("encoder." + t.Key, t.Value)));
        string message = Assert.Throws<InvalidModelException>(() => Architecture.Detect(odd)).Message;
        Assert.Contains("names begin with 'encoder.'", message);
        Assert.InRange(message.Length, 0, 1200);
    }

    private static StateDict Prefixed(StateDict plain, string prefix, params (string Name, int Length)[] more) => new(
        "wrapped.pth", [.. plain.Select(t => KeyValuePair.Create(prefix + t.Key, t.Value)),
            .. more.Select(m => KeyValuePair.Create(m.Name, (StateTensor)new WeightTensor(new DenseTensor(new(m.Length), new float[m.Length]))))]);

    private static StateDict Plain() => StateDict.FromGraph(Architecture.Find("resnet20").Untrained(10));
}
