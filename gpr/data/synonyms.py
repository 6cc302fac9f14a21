"""The roles that columns can have, and the names that they go by in English and Chinese."""

from __future__ import annotations

import itertools
import unicodedata
from typing import Literal, get_args

Role = Literal[
    "item_id", "title", "description", "category", "image", "summary", "query", "user_id", "user attribute", "rating",
    "timestamp", "label", "split", "other", "ignore",
]  # fmt: skip
ALL_ROLES: tuple[Role, ...] = get_args(Role)
"""`other` is a further column that describes the item; `ignore` is not read at all."""

NOUNS = (
    "item", "movie", "film", "product", "course", "fund", "article", "news", "book", "song", "video", "game", "job",
    "recipe", "goods", "track",
)  # fmt: skip
NOUNS_ZH = ("物品", "项目", "电影", "影片", "商品", "产品", "课程", "基金", "文章", "新闻", "图书", "歌曲", "视频")


def _of_nouns(*endings: str) -> tuple[str, ...]:
    """'movieid' or '电影名称': each noun with each ending."""
    nouns = NOUNS if endings[0].isascii() else NOUNS_ZH
    return tuple(noun + ending for noun, ending in itertools.product(nouns, endings))


SYNONYMS: dict[Role, tuple[str, ...]] = {
    "item_id": (
        *_of_nouns("id"), "parentasin", "asin", "sku", "isin", "isbn", *_of_nouns("编号", "代码", "id"), "itemno",
        "id", "编号", "代码", "序号",
    ),
    "title": (
        "title", *_of_nouns("title", "name"), "name", "headline", "标题", *_of_nouns("标题", "名称", "名"), "名称",
        "片名", "书名", "题目", "名字", "completion", "response", "answer", "output",
    ),
    "description": (
        "description", "desc", *_of_nouns("description"), "overview", "plot", "synopsis", "content", "body", "text",
        "details", "abstract", "描述", *_of_nouns("描述", "介绍", "简介"), "介绍", "详情", "内容", "正文", "剧情",
        "简介",
    ),
    "category": (
        "category", "categories", *_of_nouns("category", "type", "class"), "categoryname", "maincategory", "genre",
        "genres", "type", "topic", "section", "tags", "类别",
        *_of_nouns("类别", "类型", "分类"), "类型", "分类", "题材", "标签", "板块",
    ),
    "summary": ("summary", "tagline", "blurb", "abstract", "摘要", "概要", "概述", "导语", "简介"),
    "query": (
        "query", "querytext", "userquery", "searchquery", "searchterm", "searchterms", "search", "request", "question",
        "prompt", "utterance", "查询", "查询词", "查询语句", "用户查询", "搜索", "搜索词", "检索词", "需求", "用户需求",
        "问题", "提问",
    ),
    "user_id": (
        "userid", "user", "uid", "customerid", "memberid", "reviewerid", "visitorid", "用户id", "用户编号", "用户",
        "会员id", "会员", "客户id", "客户编号", "客户",
    ),
    "rating": ("rating", "ratings", "score", "stars", "overall", "评分", "打分", "分数", "星级"),
    "timestamp": (
        "timestamp", "time", "datetime", "date", "unixtime", "unixreviewtime", "eventtime", "createdat", "ratedat",
        "时间戳", "时间", "日期",
    ),
    "image": (
        "image", "images", "imageurl", "imageurls", "imurl", "imgurl", "img", "picture", "photo", "thumbnail", "poster",
        "posterurl", "图片", "图片链接", "封面", "海报",
    ),
    "label": ("label", "verdict", "relevance", "islabel", "liked", "clicked", "标注", "标签值", "是否喜欢"),
    "split": ("split", "subset", "partition", "划分", "数据划分", "拆分"),
}  # fmt: skip
"""Role -> names without case, space and punctuation, the surest first."""
PERSONAL = {"age", "gender", "sex", "occupation", "job", "profession", "country", "年龄", "性别", "职业"}
"""Names of columns that describe a person."""


def normalise(name: str) -> str:
    """The name without case, space and punctuation: 'Movie ID', 'movie_id' and full-width 'ＭovieId' are 'movieid'."""
    return "".join(char for char in unicodedata.normalize("NFKC", name).casefold() if char.isalnum())
