using MLNet.PQCompression.Graph;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp.Evaluation;

/// <summary>A graph's initializers on a device, each brought there when it is first asked for.</summary>
internal sealed class DeviceConstants(ModelGraph graph, Device device) : IDisposable
{
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>The initializer of a name, decoded, or null where there is none.</summary>
    public Tensor? Find(string name)
    {
        if (_tensors.TryGetValue(name, out Tensor? tensor))
            return tensor;
        if (!graph.Initializers.TryGetValue(name, out Initializer? initializer))
            return null;
        return _tensors[name] = HostMemory.Upload(initializer.ToDense().Span, TorchOperators.Longs(initializer.Shape), device).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in _tensors.Values)
            tensor.Dispose();
        _tensors.Clear();
    }
}
