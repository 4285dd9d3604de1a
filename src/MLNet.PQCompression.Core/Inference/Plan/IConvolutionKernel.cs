namespace MLNet.PQCompression.Inference.Plan;

/// <summary>One way to compute a convolution.</summary>
internal interface IConvolutionKernel
{
    /// <summary>What a batch is expected to cost, in multiply-add instructions of the machine's vector width.</summary>
    double Cost(int batch);
}
