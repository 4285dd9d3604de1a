using System.Numerics.Tensors;
using MLNet.PQCompression.Distillation.Data;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation;

/// <summary>When and how readily codes change during the global epochs.</summary>
/// <param name="Interval">Steps from one re-assignment to the next, whose gradients decide it; 10 at least.</param>
/// <param name="Curvature">κ: what the curvature of one block is multiplied by, since blocks that move together add up.</param>
/// <param name="Certainty">By how many standard deviations of the mean gradient a gain must exceed nothing; the best of thousands of candidates gains four by chance.</param>
/// <param name="Until">The share of the run after which codes stay, so that codewords can follow.</param>
public sealed record ReassignmentOptions(int Interval = 100, double Curvature = 2, double Certainty = 4, double Until = 0.75);

/// <summary>Re-assigns codes between the steps of a training run, by a second-order estimate of what each change does to the loss (<see cref="CodeStatistics"/>).</summary>
/// <remarks>Past the paper, whose codes stay as k-means left them. No byte is added.</remarks>
internal sealed class CodeReassignment
{
    /// <summary>Steps from one backward pass for the curvature to the next.</summary>
    private const int CurvatureInterval = 5;

    private const string SumPrefix = "reassign:sum:", CountPrefix = "reassign:counts:", RowPrefix = "reassign:rows:", ProductPrefix = "reassign:products:";
    private readonly ReassignmentOptions _options;
    private readonly ITrainingModel _model;
    private readonly int _batchSize, _seed;
    private readonly long _lastStep;
    private readonly SortedDictionary<string, (CodeStatistics Statistics, ushort[] Codes)> _weights = new(StringComparer.Ordinal);

    /// <summary>Starts with the student's codes.</summary>
    /// <param name="model">The student at work.</param>
    /// <param name="student">The graph that it was made from.</param>
    /// <param name="options">When and how readily.</param>
    /// <param name="batchSize">Images in a batch.</param>
    /// <param name="steps">Steps of the whole run.</param>
    /// <param name="seed">Seed of the drawn labels.</param>
    public CodeReassignment(ITrainingModel model, ModelGraph student, ReassignmentOptions options, int batchSize, long steps, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Interval, 2 * CurvatureInterval, nameof(options));
        (_model, _options, _batchSize, _seed, _lastStep) = (model, options, batchSize, seed, (long)(steps * options.Until));
        foreach (string name in model.Parameters)
            if (student.Initializers[name] is QuantizedTensor q)
                _weights[name] = (new(q.Rows, q.BlocksPerRow, q.BlockSize), q.Codes.ToArray());
    }

    /// <summary>The codes as they now are.</summary>
    public IReadOnlyDictionary<string, ushort[]> Codes => _weights.ToDictionary(w => w.Key, w => w.Value.Codes);

    /// <summary>What the steps since the last re-assignment have left, by name.</summary>
    public IEnumerable<KeyValuePair<string, float[]>> State => _weights.SelectMany(w => new[]
    {
        KeyValuePair.Create(SumPrefix + w.Key, w.Value.Statistics.Sum),
        KeyValuePair.Create(CountPrefix + w.Key, w.Value.Statistics.Counts),
        KeyValuePair.Create(RowPrefix + w.Key, w.Value.Statistics.RowSquares),
        KeyValuePair.Create(ProductPrefix + w.Key, w.Value.Statistics.Products),
    });

    /// <summary>Puts codes and state back.</summary>
    public void Restore(IReadOnlyDictionary<string, ushort[]> codes, IReadOnlyDictionary<string, float[]> state)
    {
        foreach ((string name, float[] values) in State)
            state[name].CopyTo(values, 0);
        foreach ((string name, (_, ushort[] own)) in _weights)
        {
            codes[name].CopyTo(own, 0);
            _model.SetCodes(name, own);
        }
    }

    /// <summary>Looks at the gradients of a step that has been taken, and re-assigns where one is due.</summary>
    /// <param name="step">The number of steps done.</param>
    /// <param name="batch">What the step learned from.</param>
    public void AfterStep(long step, TrainingBatch batch)
    {
        if (step > _lastStep)
            return;
        if (step % _options.Interval == 0)
        {
            Reassign(batch);
            return;
        }
        foreach ((string name, (CodeStatistics statistics, _)) in _weights)
            statistics.AddLoss(_model.DenseGradient(name));
        if (step % CurvatureInterval == CurvatureInterval - 1)
        {
            _model.ComputeGradients(batch with { Target = Draw(batch, SeedSequence.At(_seed, -2, step)) });
            foreach ((string name, (CodeStatistics statistics, _)) in _weights)
                statistics.AddDrawn(_model.DenseGradient(name), step);
        }
    }

    /// <summary>Proposes from the steps of the interval, tries all changes, the best quarter, a quarter of that and so on, by the loss of a batch that was not among them, and makes those that lower it most.</summary>
    private void Reassign(TrainingBatch batch)
    {
        (string Name, CodeChange Change)[] proposed = [.. _weights.SelectMany(w => w.Value.Statistics.Propose(_model.Values(w.Key), w.Value.Codes, _batchSize, _options), (w, c) => (w.Key, c))
            .OrderBy(p => p.c.Loss)];
        foreach ((CodeStatistics statistics, _) in _weights.Values)
            statistics.Clear();
        double least = proposed.Length > 0 ? _model.ComputeGradients(batch) : 0;
        int best = 0;
        for (int count = proposed.Length; count > 0; count /= 4)
        {
            SetCodes(proposed, count);
            if (_model.ComputeGradients(batch) is var loss && loss < least)
                (least, best) = (loss, count);
        }
        SetCodes(proposed, best);
        foreach ((string name, CodeChange change) in proposed.Take(best))
            _weights[name].Codes[change.Block] = change.Code;
    }

    /// <summary>Gives the model the codes with some of the changes proposed.</summary>
    private void SetCodes((string Name, CodeChange Change)[] proposed, int count)
    {
        ILookup<string, CodeChange> changes = proposed.Take(count).ToLookup(p => p.Name, p => p.Change);
        foreach (string name in proposed.Select(p => p.Name).Distinct())
        {
            ushort[] codes = [.. _weights[name].Codes];
            foreach (CodeChange change in changes[name])
                codes[change.Block] = change.Code;
            _model.SetCodes(name, codes);
        }
    }

    /// <summary>Labels drawn from the teacher's probabilities; labels that were given stay.</summary>
    private static TrainingTarget Draw(TrainingBatch batch, Random random)
    {
        if (batch.Target is not TeacherTarget teacher)
            return batch.Target;
        int classes = teacher.Logits.Length / batch.Count;
        var (labels, probabilities) = (new int[batch.Count], new float[classes]);
        for (int n = 0; n < batch.First; n++)
            random.NextDouble(); // Those of ranks before.
        for (int n = 0; n < labels.Length; n++)
        {
            TensorPrimitives.SoftMax(teacher.Logits.Span.Slice(n * classes, classes), probabilities);
            double left = random.NextDouble();
            while (labels[n] < classes - 1 && (left -= probabilities[labels[n]]) >= 0)
                labels[n]++;
        }
        return new LabelTarget(labels);
    }
}
