using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Plan;

namespace MLNet.PQCompression.Inference;

/// <content>Images of any size that the model takes.</content>
public sealed unsafe partial class InferenceSession
{
    /// <summary>Sizes other than the session's own whose compiled plans are kept.</summary>
    private const int KeptSizes = 4;

    private readonly List<PlanRuns> _others = []; // The one used last at the end.

    /// <summary>Scores images of any size; the first call for a size compiles the model for it, and the last few sizes are kept.</summary>
    /// <param name="images">N×C×H×W, preprocessed.</param>
    /// <returns>The outputs by name. One that has an image's values as rows behind a batch of 1 has N in front; any other has the values of the images one behind the other along its first dimension.</returns>
    /// <exception cref="InvalidModelException">The model does not take images of this size.</exception>
    /// <exception cref="ObjectDisposedException">The session has been disposed.</exception>
    public IReadOnlyDictionary<string, Activation> Run(Activation images)
    {
        ArgumentNullException.ThrowIfNull(images);
        ObjectDisposedException.ThrowIf(_disposed, this);
        TensorShape shape = images.Shape, declared = _graph.Input.Shape;
        bool fits = shape.Rank == 4;
        for (int i = 1; fits && i < 4; i++)
            fits = declared[i] < 0 || declared[i] == shape[i];
        if (!fits)
            throw new InvalidModelException($"Model '{_graph.Name}' takes images of {declared}, not {shape}.");
        PlanRuns runs = For(shape.WithoutFirst());
        var results = new Activation[runs.Plan.Outputs.Length];
        for (int i = 0; i < results.Length; i++)
        {
            TensorShape one = runs.Plan.Outputs[i].FullShape;
            results[i] = new(one.Rank == 0 ? new(shape[0]) : one.With(0, checked(one[0] * shape[0])));
        }
        Run(runs, images.Span, shape[0], Array.ConvertAll(results, r => r.Memory));
        return runs.Plan.Outputs.Zip(results).ToDictionary(o => o.First.Name, o => o.Second, StringComparer.Ordinal);
    }

    /// <summary>Scores images whose sizes differ, one after the other.</summary>
    /// <param name="images">1×C×H×W each, or batches of one size.</param>
    /// <returns>The outputs of each.</returns>
    /// <exception cref="InvalidModelException">The model does not take images of a size.</exception>
    public IReadOnlyList<IReadOnlyDictionary<string, Activation>> Run(IEnumerable<Activation> images)
    {
        ArgumentNullException.ThrowIfNull(images);
        return [.. images.Select(Run)];
    }

    private PlanRuns For(TensorShape shape)
    {
        if (_own is not null && _own.Plan.InputShape == shape)
            return _own;
        lock (_others)
        {
            int known = _others.FindIndex(r => r.Plan.InputShape == shape);
            PlanRuns runs = known >= 0 ? _others[known] : Runs(CompiledPlan.Compile(_graph, Key(shape), new(_options.MaxMemoryBytes, _pool?.Threads ?? 1)));
            if (known >= 0)
                _others.RemoveAt(known);
            else if (_others.Count == KeptSizes)
                _others.RemoveAt(0);
            _others.Add(runs);
            return runs;
        }
    }
}
