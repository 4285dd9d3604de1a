using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Distillation.Managed;

/// <summary>A graph that trains on <see cref="TrainingProgram"/>.</summary>
internal sealed class ManagedTrainingModel : ITrainingModel
{
    private readonly ModelGraph _graph;
    private readonly TrainingSetup _setup;
    private readonly TrainingProgram _program;
    private readonly SortedDictionary<string, Parameter> _parameters = new(StringComparer.Ordinal);
    private readonly Parameter[] _trained;
    private readonly Optimizer _optimizer;
    private readonly BatchShare _share;
    private readonly string[] _readable;
    private float[] _logits = [], _logitGradients = [];

    /// <summary>Copies the graph's initializers and compiles it.</summary>
    public ManagedTrainingModel(ModelGraph graph, TensorShape inputShape, TrainingSetup setup, WorkerPool workers)
    {
        if (setup.Trainable.FirstOrDefault(n => !graph.Initializers.ContainsKey(n)) is { } missing)
            throw new ArgumentException($"Model '{graph.Name}' has no initializer '{missing}' to train.", nameof(setup));
        _graph = graph;
        _setup = setup;
        foreach ((string name, Initializer initializer) in graph.Initializers)
            _parameters[name] = new(name, initializer, setup.Trainable.Contains(name));
        _trained = [.. _parameters.Values.Where(p => p.Trainable)];
        _optimizer = new(setup.Optimizer, _trained.Select(p => KeyValuePair.Create(p.Name, p.Values.Length)));
        _share = new(setup.Collective);
        _program = new(graph, inputShape, _parameters, workers, _share);
        IEnumerable<string> statistics = graph.Nodes.Where(n => n.Operator is BatchNormalization).SelectMany(n => n.Inputs.Skip(3));
        _readable = [.. setup.Trainable.Concat(statistics).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public int OutputLength => _program.OutputLength;

    /// <summary>Bytes of activations, gradients and scratch allocated so far.</summary>
    public long AllocatedBytes => _program.AllocatedBytes;

    /// <inheritdoc/>
    public IReadOnlyList<string> Parameters => _readable;

    /// <inheritdoc/>
    public void Evaluate(ReadOnlyMemory<float> images, int count, Span<float> outputs) =>
        _program.Forward(images, count, batchStatistics: false, keep: false, outputs);

    /// <inheritdoc/>
    public double ComputeGradients(TrainingBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        int length = batch.Count * OutputLength;
        if (_logits.Length < length)
            (_logits, _logitGradients) = (new float[length], new float[length]);
        foreach (Parameter parameter in _trained)
            parameter.ClearGradient();
        Span<float> logits = _logits.AsSpan(0, length);
        _program.Forward(batch.Images, batch.Count, _setup.BatchStatistics, keep: true, logits, batch.Total);
        double loss = _share.Sum(batch.Total, 1, (first, end, sum) =>
        {
            (int count, int classes) = (end - first, OutputLength);
            if (count > 0)
                sum[0] += Loss.Compute(_logits.AsSpan(first * classes, count * classes), count, batch.Target.Rows(first, count, classes), _logitGradients.AsSpan(first * classes), batch.Total);
        })[0];
        _program.Backward(_logitGradients.AsSpan(0, length));
        foreach (Parameter parameter in _trained)
            parameter.FinishGradient();
        return loss;
    }

    /// <inheritdoc/>
    public void Update(double learningRate)
    {
        _optimizer.BeginStep();
        foreach (Parameter parameter in _trained)
        {
            _optimizer.Move(parameter.Name, parameter.Values, parameter.Gradient, parameter.IsQuantized ? learningRate : learningRate * _setup.DenseRateFactor);
            parameter.Touch();
        }
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> Values(string name) => _parameters[name].Values;

    /// <inheritdoc/>
    public ReadOnlySpan<float> Gradient(string name) => Trained(name).Gradient;

    /// <inheritdoc/>
    public ReadOnlySpan<float> DenseGradient(string name) => Trained(name).DenseGradient;

    /// <inheritdoc/>
    public void SetValues(string name, ReadOnlySpan<float> values)
    {
        Parameter parameter = _parameters[name];
        if (values.Length != parameter.Values.Length)
            throw new ArgumentException($"'{name}' has {parameter.Values.Length} values, not {values.Length}.", nameof(values));
        values.CopyTo(parameter.Values);
        parameter.Touch();
    }

    /// <inheritdoc/>
    public void SetCodes(string name, ReadOnlySpan<ushort> codes)
    {
        Parameter parameter = _parameters[name];
        if (!parameter.IsQuantized || codes.Length != parameter.Codes.Length)
            throw new ArgumentException($"'{name}' has {parameter.Codes.Length} codes, not {codes.Length}.", nameof(codes));
        int codewords = parameter.Values.Length / parameter.BlockSize;
        foreach (ushort code in codes)
            if (code >= codewords)
                throw new ArgumentException($"Code {code} is outside the {codewords} codewords of '{name}'.", nameof(codes));
        parameter.SetCodes(codes);
    }

    /// <inheritdoc/>
    public OptimizerState GetOptimizerState() => _optimizer.GetState();

    /// <inheritdoc/>
    public void SetOptimizerState(OptimizerState state) => _optimizer.SetState(state);

    /// <inheritdoc/>
    public ModelGraph ToGraph() =>
        _graph.WithInitializers(_readable.Select(n => KeyValuePair.Create(n, _parameters[n].ToInitializer())));

    /// <inheritdoc/>
    public void Dispose() => _program.Dispose();

    private Parameter Trained(string name) =>
        _parameters.TryGetValue(name, out Parameter? p) && p.Trainable ? p : throw new KeyNotFoundException($"'{name}' is not trained.");
}
