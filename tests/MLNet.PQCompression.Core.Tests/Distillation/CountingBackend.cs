using MLNet.PQCompression.Compute;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Tests.Distillation;

/// <summary>A backend that counts evaluations and updates and can cancel a run after some of them.</summary>
internal sealed class CountingBackend(IBackend inner) : IBackend
{
    public int Updates { get; private set; }

    public int Evaluations { get; private set; }

    public int CancelAfter { get; init; }

    public CancellationTokenSource? Cancel { get; init; }

    public string Name => inner.Name;

    public WorkerPool? Workers => inner.Workers;

    public INodeEvaluator Evaluate(ModelGraph graph) => inner.Evaluate(graph);

    public IMoments Moments(LayerGeometry geometry, int views, SumOrigins? origins = null) => inner.Moments(geometry, views, origins);

    public IGram Gram(LayerGeometry geometry, int blockSize, float? scale = null) => inner.Gram(geometry, blockSize, scale);

    public IClusters Clusters(ReadOnlyMemory<float> blocks, int blockSize, double[]? factor, ReadOnlySpan<float> codebook) =>
        inner.Clusters(blocks, blockSize, factor, codebook);

    public ICodeSearch Search(QuadraticObjective objective, int blockSize, ReadOnlySpan<float> codebook) => inner.Search(objective, blockSize, codebook);

    public ITrainingModel Create(ModelGraph graph, int channels, int height, int width, TrainingSetup setup) =>
        new Model(this, inner.Create(graph, channels, height, width, setup));

    public bool IsDisposed { get; private set; }

    public void Dispose()
    {
        IsDisposed = true;
        inner.Dispose();
    }

    private sealed class Model(CountingBackend owner, ITrainingModel inner) : ITrainingModel
    {
        public int OutputLength => inner.OutputLength;

        public IReadOnlyList<string> Parameters => inner.Parameters;

        public void Evaluate(ReadOnlyMemory<float> images, int count, Span<float> outputs)
        {
            owner.Evaluations++;
            inner.Evaluate(images, count, outputs);
        }

        public double ComputeGradients(TrainingBatch batch) => inner.ComputeGradients(batch);

        public void Update(double learningRate)
        {
            inner.Update(learningRate);
            if (++owner.Updates == owner.CancelAfter)
                owner.Cancel?.Cancel();
        }

        public ReadOnlySpan<float> Values(string name) => inner.Values(name);

        public ReadOnlySpan<float> Gradient(string name) => inner.Gradient(name);

        public ReadOnlySpan<float> DenseGradient(string name) => inner.DenseGradient(name);

        public void SetValues(string name, ReadOnlySpan<float> values) => inner.SetValues(name, values);

        public void SetCodes(string name, ReadOnlySpan<ushort> codes) => inner.SetCodes(name, codes);

        public OptimizerState GetOptimizerState() => inner.GetOptimizerState();

        public void SetOptimizerState(OptimizerState state) => inner.SetOptimizerState(state);

        public ModelGraph ToGraph() => inner.ToGraph();

        public void Dispose() => inner.Dispose();
    }
}
