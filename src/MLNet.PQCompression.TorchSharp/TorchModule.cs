using MLNet.PQCompression.Architectures;
using MLNet.PQCompression.Graph;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp;

/// <summary>TorchSharp modules as networks, and networks' weights back in modules.</summary>
public static class TorchModule
{
    /// <summary>The network of a module: its tensors by name, in the structure of a known architecture.</summary>
    /// <param name="module">The module, such as one of torchvision.models; it is not changed.</param>
    /// <param name="architecture">Its architecture, "resnet18"; null finds out from names and shapes.</param>
    /// <exception cref="InvalidModelException">The tensors fit no architecture, or not this one; the message lists what is missing.</exception>
    public static ModelGraph ToGraph(nn.Module module, string? architecture = null)
    {
        StateDict state = ToStateDict(module);
        return (architecture is null ? Architecture.Detect(state) : Architecture.Find(architecture)).Build(state);
    }

    /// <summary>The tensors of a module by name, copied.</summary>
    /// <exception cref="InvalidModelException">A tensor is of a type that weights do not have.</exception>
    public static StateDict ToStateDict(nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        TorchLibrary.Load();
        string source = $"The module '{module.GetName()}'";
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        return new(source, module.state_dict().Select(t => KeyValuePair.Create(t.Key, Read(t.Value, t.Key, source))).ToArray());
    }

    /// <summary>Puts a network's weights into a module, quantized ones decoded: to go on training, or to compare. Tensors that the network has no part of stay.</summary>
    /// <param name="graph">The network, compressed or not.</param>
    /// <param name="module">A module with tensors of the same names and shapes.</param>
    /// <exception cref="ArgumentException">The module lacks a tensor of the network, or has it in another shape; it is not changed.</exception>
    public static void CopyTo(ModelGraph graph, nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(module);
        TorchLibrary.Load();
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        Dictionary<string, Tensor> targets = module.state_dict();
        var copies = new List<(Tensor Target, ReadOnlyMemory<float> Values)>();
        foreach ((string name, StateTensor tensor) in StateDict.FromGraph(graph))
        {
            if (tensor is not WeightTensor weight)
                continue;
            if (!targets.TryGetValue(name, out Tensor? target) || !target.shape.SequenceEqual(weight.Shape.Dimensions.Select(d => (long)d)))
                throw new ArgumentException($"The module '{module.GetName()}' has no tensor '{name}' of {weight.Shape}{(target is null ? "" : $", but one of {new TensorShape([.. target.shape.Select(d => (int)d)])}")}.", nameof(module));
            copies.Add((target, weight.Value.ToDense()));
        }
        foreach ((Tensor target, ReadOnlyMemory<float> values) in copies)
            target.copy_(HostMemory.Upload(values.Span, target.shape, CPU));
    }

    private static StateTensor Read(Tensor tensor, string name, string source)
    {
        TensorShape shape = new([.. tensor.shape.Select(d => checked((int)d))]);
        if (tensor.is_floating_point())
            return new WeightTensor(new DenseTensor(shape, tensor.to(ScalarType.Float32).Download()));
        if (!tensor.is_integral() && tensor.dtype != ScalarType.Bool)
            throw new InvalidModelException($"{source}: tensor '{name}' is of {tensor.dtype}, which weights are not.");
        var values = new long[tensor.numel()];
        tensor.to(ScalarType.Int64).CopyTo<long>(values);
        return new IntegerTensor(shape, TensorElementType.Int64, values);
    }
}
