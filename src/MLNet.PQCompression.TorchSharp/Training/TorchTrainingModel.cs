using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.TorchSharp.Evaluation;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp.Training;

/// <summary>A graph that trains on a device: decoded weights are the leaves, and a codeword's gradient is gathered from its blocks.</summary>
internal sealed class TorchTrainingModel : ITrainingModel
{
    private readonly ModelGraph _graph;
    private readonly TensorShape _imageShape;
    private readonly TrainingSetup _setup;
    private readonly OperatorMode _mode;
    private readonly Device _device;
    private readonly DeviceMemory _memory;
    private readonly SortedDictionary<string, TorchParameter> _parameters = new(StringComparer.Ordinal);
    private readonly TorchParameter[] _trained;
    private readonly TorchOptimizer _optimizer;
    private readonly string[] _readable;

    /// <summary>Brings a graph's initializers to the device.</summary>
    public TorchTrainingModel(ModelGraph graph, TensorShape imageShape, TrainingSetup setup, bool reducedPrecision, Device device, DeviceMemory memory)
    {
        if (setup.Trainable.FirstOrDefault(n => !graph.Initializers.ContainsKey(n)) is { } missing)
            throw new ArgumentException($"Model '{graph.Name}' has no initializer '{missing}' to train.", nameof(setup));
        (_graph, _imageShape, _setup, _device, _memory) = (graph, imageShape, setup, device, memory);
        _mode = new(setup.BatchStatistics, reducedPrecision);
        OutputLength = TrainableGraph.OutputLength(graph, imageShape);
        foreach ((string name, Initializer initializer) in graph.Initializers)
            _parameters[name] = new(name, initializer, setup.Trainable.Contains(name), device);
        _trained = [.. _parameters.Values.Where(p => p.IsTrained)];
        _optimizer = new(setup.Optimizer, _trained);
        IEnumerable<string> statistics = graph.Nodes.Where(n => n.Operator is BatchNormalization).SelectMany(n => n.Inputs.Skip(3));
        _readable = [.. setup.Trainable.Concat(statistics).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public int OutputLength { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> Parameters => _readable;

    /// <inheritdoc/>
    public void Evaluate(ReadOnlyMemory<float> images, int count, Span<float> outputs)
    {
        var logits = new float[count * OutputLength];
        _memory.InParts("evaluating", count, size =>
        {
            for (int first = 0; first < count; first += size)
            {
                int length = Math.Min(size, count - first);
                using DisposeScope scope = NewDisposeScope();
                using IDisposable still = no_grad();
                Forward(images, first, length, OperatorMode.Evaluation).CopyTo(logits.AsSpan(first * OutputLength, length * OutputLength));
            }
        });
        logits.CopyTo(outputs);
    }

    /// <inheritdoc/>
    /// <remarks>Where a batch had to be halved for want of memory, BatchNormalization's statistics are those of the halves.</remarks>
    public double ComputeGradients(TrainingBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        double loss = 0;
        _memory.InParts("training on", batch.Count, size =>
        {
            foreach (TorchParameter parameter in _trained)
                parameter.Dense.grad = null;
            loss = 0;
            for (int first = 0; first < batch.Count; first += size)
                loss += Accumulate(batch, first, Math.Min(size, batch.Count - first));
        });
        return loss;
    }

    /// <inheritdoc/>
    public void Update(double learningRate)
    {
        _optimizer.BeginStep();
        foreach (TorchParameter parameter in _trained)
            _optimizer.Move(parameter, parameter.IsQuantized ? learningRate : learningRate * _setup.DenseRateFactor);
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> Values(string name) => _parameters[name].HostValues;

    /// <inheritdoc/>
    public ReadOnlySpan<float> Gradient(string name) => Trained(name).HostGradient;

    /// <inheritdoc/>
    public ReadOnlySpan<float> DenseGradient(string name) => Trained(name).HostDenseGradient;

    /// <inheritdoc/>
    public void SetValues(string name, ReadOnlySpan<float> values) => _parameters[name].SetValues(values);

    /// <inheritdoc/>
    public void SetCodes(string name, ReadOnlySpan<ushort> codes) => _parameters[name].SetCodes(codes);

    /// <inheritdoc/>
    public OptimizerState GetOptimizerState() => _optimizer.GetState();

    /// <inheritdoc/>
    public void SetOptimizerState(OptimizerState state) => _optimizer.SetState(state);

    /// <inheritdoc/>
    public ModelGraph ToGraph() => _graph.WithInitializers(_readable.Select(n => KeyValuePair.Create(n, _parameters[n].ToInitializer())));

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimizer.Dispose();
        foreach (TorchParameter parameter in _parameters.Values)
            parameter.Dispose();
    }

    /// <summary>The parameter of a name, for replicas.</summary>
    internal TorchParameter Parameter(string name) => _parameters[name];

    /// <summary>Adds a part's share of the gradients; returns its share of the loss.</summary>
    private double Accumulate(TrainingBatch batch, int first, int count)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor logits = Forward(batch.Images, first, count, _mode);
        // The loss and its gradient are the engine's own: outputs are few beside what lies between.
        float[] outputs = logits.Download(), gradient = new float[outputs.Length];
        double loss = Loss.Compute(outputs, count, batch.Target.Rows(first, count, OutputLength), gradient) * count / batch.Count;
        if (_trained.Length == 0)
            return loss;
        using Scalar share = ((float)count / batch.Count).ToScalar();
        logits.mul(HostMemory.Upload<float>(gradient, logits.shape, _device).mul(share)).sum().backward();
        return loss;
    }

    private Tensor Forward(ReadOnlyMemory<float> images, int first, int count, OperatorMode mode)
    {
        int length = (int)_imageShape.With(0, 1).Count;
        Tensor input = HostMemory.Upload(images.Span.Slice(first * length, count * length), TorchOperators.Longs(_imageShape.With(0, count)), _device);
        HashSet<string> wanted = [.. _graph.Outputs.Select(o => o.Name)];
        var made = StretchRunner.Run(_graph.Nodes, name => name == _graph.Input.Name ? input : _parameters[name].Dense, mode, wanted.Contains);
        Tensor[] outputs = [.. _graph.Outputs.Select(o => (mode.ReducedPrecision ? made[o.Name].to(ScalarType.Float32) : made[o.Name]).reshape(count, -1))];
        return outputs is [var only] ? only : cat(outputs, 1);
    }

    private TorchParameter Trained(string name) =>
        _parameters.TryGetValue(name, out TorchParameter? p) && p.IsTrained ? p : throw new KeyNotFoundException($"'{name}' is not trained.");
}
