using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Graph;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNet.PQCompression.TorchSharp.Training;

/// <summary>One replica a device: each takes an equal part of a batch, the first sums the gradients, makes the step and hands its values on.</summary>
/// <remarks>BatchNormalization's statistics are those of each part; the running ones become their mean.</remarks>
internal sealed class ReplicatedModel(TorchTrainingModel[] replicas) : ITrainingModel
{
    private readonly TorchTrainingModel _first = replicas[0];

    /// <inheritdoc/>
    public int OutputLength => _first.OutputLength;

    /// <inheritdoc/>
    public IReadOnlyList<string> Parameters => _first.Parameters;

    /// <inheritdoc/>
    public void Evaluate(ReadOnlyMemory<float> images, int count, Span<float> outputs)
    {
        int length = images.Length / Math.Max(1, count), classes = OutputLength;
        var logits = new float[count * classes];
        OnEach(count, (replica, first, part) => replica.Evaluate(images.Slice(first * length, part * length), part, logits.AsSpan(first * classes, part * classes)));
        logits.CopyTo(outputs);
    }

    /// <inheritdoc/>
    public double ComputeGradients(TrainingBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        int length = batch.Images.Length / batch.Count;
        var losses = new double[replicas.Length];
        int[] counts = OnEach(batch.Count, (replica, first, part) => losses[Array.IndexOf(replicas, replica)] = replica.ComputeGradients(
            new(batch.Images.Slice(first * length, part * length), part, batch.Target.Rows(first, part, OutputLength))));
        Combine(counts, batch.Count);
        return losses.Select((loss, i) => loss * counts[i] / batch.Count).Sum();
    }

    /// <inheritdoc/>
    public void Update(double learningRate)
    {
        _first.Update(learningRate);
        foreach (string name in Parameters.Where(n => _first.Parameter(n).IsTrained))
            Copy(name);
    }

    /// <inheritdoc/>
    public ReadOnlySpan<float> Values(string name) => _first.Values(name);

    /// <inheritdoc/>
    public ReadOnlySpan<float> Gradient(string name) => _first.Gradient(name);

    /// <inheritdoc/>
    public ReadOnlySpan<float> DenseGradient(string name) => _first.DenseGradient(name);

    /// <inheritdoc/>
    public void SetValues(string name, ReadOnlySpan<float> values)
    {
        foreach (TorchTrainingModel replica in replicas)
            replica.SetValues(name, values);
    }

    /// <inheritdoc/>
    public void SetCodes(string name, ReadOnlySpan<ushort> codes)
    {
        foreach (TorchTrainingModel replica in replicas)
            replica.SetCodes(name, codes);
    }

    /// <inheritdoc/>
    public OptimizerState GetOptimizerState() => _first.GetOptimizerState();

    /// <inheritdoc/>
    public void SetOptimizerState(OptimizerState state) => _first.SetOptimizerState(state);

    /// <inheritdoc/>
    public ModelGraph ToGraph() => _first.ToGraph();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (TorchTrainingModel replica in replicas)
            replica.Dispose();
    }

    /// <summary>Runs an even part of the images on each device at once; returns the parts' sizes.</summary>
    private int[] OnEach(int count, Action<TorchTrainingModel, int, int> work)
    {
        int[] ends = [.. Enumerable.Range(0, replicas.Length + 1).Select(i => (int)((long)count * i / replicas.Length))];
        // A thread each: a replica's calls wait for its device.
        Task[] tasks = [.. replicas.Select((replica, i) => Task.Factory.StartNew(
            () =>
            {
                if (ends[i + 1] > ends[i])
                    work(replica, ends[i], ends[i + 1] - ends[i]);
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        try
        {
            Task.WaitAll(tasks);
        }
        catch (AggregateException e) when (e.InnerExceptions is [var only])
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(only);
        }
        return [.. replicas.Select((_, i) => ends[i + 1] - ends[i])];
    }

    /// <summary>The first replica gets the mean, weighted by images, of the gradients and running statistics of all; statistics go back to the others.</summary>
    private void Combine(int[] counts, int count)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        foreach (string name in Parameters)
        {
            TorchParameter first = _first.Parameter(name);
            Tensor Of(int i) => first.IsTrained ? replicas[i].Parameter(name).Dense.grad! : replicas[i].Parameter(name).Values;
            Tensor sum = Of(0);
            for (int i = 0; i < replicas.Length; i++)
            {
                using Scalar share = ((float)counts[i] / count).ToScalar();
                if (i == 0)
                    sum.mul_(share);
                else if (counts[i] > 0)
                    sum.add_(Of(i).to(sum.device), share);
            }
            if (!first.IsTrained)
                Copy(name);
        }
    }

    private void Copy(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable still = no_grad();
        foreach (TorchTrainingModel replica in replicas.Skip(1))
        {
            TorchParameter own = replica.Parameter(name);
            own.Values.copy_(_first.Parameter(name).Values.to(own.Values.device));
            own.Decode();
        }
    }
}
