using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>
/// Batch normalization with, fused, an addition and a ReLU after it: y = max(0, a·z + b + r) with a = scale/√(v + ε), b = bias − mean·a.
/// </summary>
/// <remarks>
/// With batch statistics the mean and (biased) variance are the batch's, the running ones move by <see cref="Momentum"/> towards the mean and the unbiased
/// variance, and the gradient goes through the statistics. Sums are taken over each sample around the running mean in float32 and over the samples in float64,
/// in order, so they do not depend on the threads. Of a batch that ranks share they are sums over all of it.
/// </remarks>
internal sealed unsafe class BatchNormalizationOperation(BatchNormalization operation, ImmutableArray<ValueSlot> inputs, ImmutableArray<Parameter> parameters, ValueSlot output, bool relu)
    : TrainingOperation(inputs, parameters, output)
{
    /// <summary>How far the running statistics move towards the batch's in a step.</summary>
    public const float Momentum = 0.1f;

    private readonly int _channels = output.Layout.PaddedChannels;
    private readonly float[] _mean = new float[output.Layout.PaddedChannels];
    private readonly float[] _inverseDeviation = new float[output.Layout.PaddedChannels];
    private bool _batchStatistics;

    private Parameter Scale => Parameters[0];

    private Parameter Bias => Parameters[1];

    private ValueSlot? Residual => Inputs.Length > 1 ? Inputs[1] : null;

    /// <inheritdoc/>
    public override bool ReadsInput(int index) => index == 0 && (Scale.Trainable || Inputs[0].NeedsGradient);

    /// <inheritdoc/>
    public override bool ReadsOutput => relu;

    /// <inheritdoc/>
    public override void Forward(StepContext context)
    {
        _batchStatistics = context.BatchStatistics;
        if (_batchStatistics)
            MeasureBatch(context);
        else
            for (int c = 0; c < Scale.Dense.Length; c++)
                (_mean[c], _inverseDeviation[c]) = (Parameters[2].Dense[c], 1 / MathF.Sqrt(Parameters[3].Dense[c] + operation.Epsilon));
        var a = new float[_channels];
        var b = new float[_channels];
        for (int c = 0; c < Scale.Dense.Length; c++)
        {
            a[c] = Scale.Dense[c] * _inverseDeviation[c];
            b[c] = Bias.Dense[c] - _mean[c] * a[c];
        }
        context.ForEachSample(n =>
        {
            fixed (float* pa = a, pb = b)
                Apply(Inputs[0].Sample(n), Residual is null ? null : Residual.Sample(n), Output.Sample(n), pa, pb);
        });
    }

    /// <inheritdoc/>
    public override void Backward(StepContext context)
    {
        AlignedBuffer gradient = StepContext.TakeGradient(Output);
        int length = Output.Layout.Length;
        bool wantsInput = Inputs[0].NeedsGradient;
        bool wantsSums = Scale.Trainable || Bias.Trainable || (wantsInput && _batchStatistics);
        double[] sums = wantsSums || relu ? MaskAndSum(context, gradient.Pointer) : [];
        var meanGradient = new float[_channels];
        var meanProduct = new float[_channels];
        double count = (double)context.Total * Output.Layout.Pixels;
        for (int c = 0; c < Scale.Shape.Count && wantsSums; c++)
        {
            // sums hold Σg and Σg·(z − mean)
            double product = sums[_channels + c] * _inverseDeviation[c];
            if (Bias.Trainable)
                Bias.DenseGradient[c] += (float)sums[c];
            if (Scale.Trainable)
                Scale.DenseGradient[c] += (float)product;
            if (_batchStatistics)
                (meanGradient[c], meanProduct[c]) = ((float)(sums[c] / count), (float)(product / count));
        }
        if (wantsInput)
            PropagateToInput(context, gradient, meanGradient, meanProduct);
        if (Residual is { NeedsGradient: true } residual)
            context.GiveGradient(residual, gradient);
        else
            context.Buffers.Return(gradient);
    }

    // dz = a·(g − mean(g) − x̂·mean(g·x̂)) as one multiply-add for each of g and z.
    private void PropagateToInput(StepContext context, AlignedBuffer gradient, float[] meanGradient, float[] meanProduct)
    {
        var ofGradient = new float[_channels];
        var ofInput = new float[_channels];
        var constant = new float[_channels];
        for (int c = 0; c < Scale.Dense.Length; c++)
        {
            ofGradient[c] = Scale.Dense[c] * _inverseDeviation[c];
            ofInput[c] = -ofGradient[c] * meanProduct[c] * _inverseDeviation[c];
            constant[c] = -ofGradient[c] * meanGradient[c] - ofInput[c] * _mean[c];
        }
        AlignedBuffer target = context.GradientTarget(Inputs[0], out bool accumulate);
        int length = Output.Layout.Length;
        bool throughStatistics = _batchStatistics;
        context.ForEachSample(n =>
        {
            fixed (float* pg = ofGradient, pz = ofInput, pc = constant)
                Combine(gradient.Pointer + (long)n * length, throughStatistics ? Inputs[0].Sample(n) : null, target.Pointer + (long)n * length, pg, pz, pc, accumulate);
        });
    }

    private void Combine(float* g, float* z, float* target, float* ofGradient, float* ofInput, float* constant, bool accumulate)
    {
        for (int pixel = 0; pixel < Output.Layout.Pixels; pixel++)
            for (int c = 0; c < _channels; c += 16, g += 16, target += 16)
            {
                Vector512<float> d = Vector512.Load(g) * Vector512.Load(ofGradient + c);
                if (z is not null)
                {
                    d = Vector512.FusedMultiplyAdd(Vector512.Load(z), Vector512.Load(ofInput + c), d + Vector512.Load(constant + c));
                    z += 16;
                }
                if (accumulate)
                    d += Vector512.Load(target);
                d.Store(target);
            }
    }

    // Zeroes the gradient where the ReLU was shut, in place, and sums it and its product with the centred input.
    private double[] MaskAndSum(StepContext context, float* gradient)
    {
        AlignedBuffer partial = context.Buffers.Rent((long)context.Count * 2 * _channels);
        int length = Output.Layout.Length;
        bool readsInput = ReadsInput(0);
        context.ForEachSample(n =>
        {
            float* sums = partial.Pointer + (long)n * 2 * _channels;
            fixed (float* mean = _mean)
                for (int c = 0; c < _channels; c += 16)
                    MaskAndSum(gradient + (long)n * length + c, relu ? Output.Sample(n) + c : null, readsInput ? Inputs[0].Sample(n) + c : null, mean + c, sums + c);
        });
        double[] total = Total(context, partial);
        context.Buffers.Return(partial);
        return total;
    }

    private void MaskAndSum(float* g, float* y, float* z, float* mean, float* sums)
    {
        Vector512<float> sum = Vector512<float>.Zero, product = Vector512<float>.Zero, m = Vector512.Load(mean);
        int step = _channels;
        for (int pixel = 0; pixel < Output.Layout.Pixels; pixel++, g += step)
        {
            Vector512<float> v = Vector512.Load(g);
            if (y is not null)
            {
                v = Vector512.ConditionalSelect(Vector512.GreaterThan(Vector512.Load(y), Vector512<float>.Zero), v, Vector512<float>.Zero);
                v.Store(g);
                y += step;
            }
            sum += v;
            if (z is not null)
            {
                product = Vector512.FusedMultiplyAdd(v, Vector512.Load(z) - m, product);
                z += step;
            }
        }
        sum.Store(sums);
        product.Store(sums + step);
    }

    private void MeasureBatch(StepContext context)
    {
        Parameter runningMean = Parameters[2], runningVariance = Parameters[3];
        var shift = new float[_channels];
        runningMean.Dense.CopyTo(shift);
        AlignedBuffer partial = context.Buffers.Rent((long)context.Count * 2 * _channels);
        context.ForEachSample(n =>
        {
            fixed (float* ps = shift)
                for (int c = 0; c < _channels; c += 16)
                    SumAndSquare(Inputs[0].Sample(n) + c, ps + c, partial.Pointer + (long)n * 2 * _channels + c);
        });
        double[] sums = Total(context, partial);
        context.Buffers.Return(partial);
        double count = (double)context.Total * Output.Layout.Pixels;
        for (int c = 0; c < runningMean.Values.Length; c++)
        {
            double offset = sums[c] / count;
            double variance = Math.Max(0, sums[_channels + c] / count - offset * offset);
            _mean[c] = (float)(shift[c] + offset);
            _inverseDeviation[c] = (float)(1 / Math.Sqrt(variance + operation.Epsilon));
            runningMean.Values[c] += Momentum * (_mean[c] - runningMean.Values[c]);
            double unbiased = count > 1 ? variance * count / (count - 1) : variance;
            runningVariance.Values[c] += Momentum * ((float)unbiased - runningVariance.Values[c]);
        }
        runningMean.Touch();
        runningVariance.Touch();
    }

    private void SumAndSquare(float* z, float* shift, float* sums)
    {
        Vector512<float> sum = Vector512<float>.Zero, square = Vector512<float>.Zero, s = Vector512.Load(shift);
        for (int pixel = 0; pixel < Output.Layout.Pixels; pixel++, z += _channels)
        {
            Vector512<float> v = Vector512.Load(z) - s;
            sum += v;
            square = Vector512.FusedMultiplyAdd(v, v, square);
        }
        sum.Store(sums);
        square.Store(sums + _channels);
    }

    private double[] Total(StepContext context, AlignedBuffer partial) => context.Sum(2 * _channels, (first, end, total) =>
    {
        for (int n = first; n < end; n++)
            for (int i = 0; i < total.Length; i++)
                total[i] += partial.Pointer[(long)n * total.Length + i];
    });

    private void Apply(float* z, float* residual, float* y, float* a, float* b)
    {
        for (int pixel = 0; pixel < Output.Layout.Pixels; pixel++)
            for (int c = 0; c < _channels; c += 16, z += 16, y += 16)
            {
                Vector512<float> v = Vector512.FusedMultiplyAdd(Vector512.Load(z), Vector512.Load(a + c), Vector512.Load(b + c));
                if (residual is not null)
                {
                    v += Vector512.Load(residual);
                    residual += 16;
                }
                if (relu)
                    v = Vector512.Max(v, Vector512<float>.Zero);
                v.Store(y);
            }
    }
}
