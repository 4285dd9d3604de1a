using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>A convolution as the plan sees it.</summary>
/// <param name="Name">The node.</param>
/// <param name="Window">The window.</param>
/// <param name="Group">Groups.</param>
/// <param name="WeightShape">C_out × C/g × kh × kw. The weight itself is not kept, so that it goes when its graph does.</param>
/// <param name="OutputPixels">Pixels of the output.</param>
internal sealed record ConvolutionNode(string Name, Window Window, int Group, TensorShape WeightShape, int OutputPixels)
{
    /// <summary>Multiplications and additions by the definition for one image.</summary>
    public long Operations => 2 * WeightShape.Count * OutputPixels;
}
