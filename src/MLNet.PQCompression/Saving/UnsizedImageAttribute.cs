using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLNet.PQCompression.Saving;

/// <summary>Marks a member that takes images of any size. ML.NET's own attribute without a size registers no type, and typed rows bind registered types only.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class UnsizedImageAttribute : DataViewTypeAttribute
{
    /// <inheritdoc/>
    public override bool Equals(DataViewTypeAttribute? other) => other is UnsizedImageAttribute;

    /// <inheritdoc/>
    public override int GetHashCode() => typeof(UnsizedImageAttribute).GetHashCode();

    /// <inheritdoc/>
    public override void Register() => DataViewTypeManager.Register(new ImageDataViewType(), typeof(MLImage), this);
}
